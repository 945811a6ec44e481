"""With which words a judge may answer each question of task 2: those that the offline rules use too."""

from __future__ import annotations

from collections.abc import Mapping

from semiology.metrics.s3.text.phrases import BODY_PARTS

Words = tuple[str, ...]

YES_NO: Words = ("yes", "no")
SIDE: Words = ("left", "right", "both")
EXTENT: Words = ("unilateral", "bilateral")
DURATION: Words = ("sustained", "brief")
VARYING: Words = ("frequency", "amplitude", "both")
PARTS: Words = tuple(BODY_PARTS)
SIDED_PARTS: Words = (*PARTS, *(f"{side} {part}" for part in PARTS for side in SIDE))
LISTS: tuple[Words, ...] = (PARTS, SIDED_PARTS)
"""An answer in these words is a list of them."""

ANSWER_WORDS: Mapping[str, tuple[Words, ...]] = {
    "face_twitching": (YES_NO, SIDE),
    "face_pulling": (SIDE, YES_NO),
    "tonic": (YES_NO, PARTS, SIDED_PARTS),
    "clonic": (PARTS, EXTENT, DURATION),
    "occur_during_sleep": (),
    "arm_flexion": (YES_NO, SIDE),
    "arm_straightening": (SIDE, YES_NO),
    "figure4": (SIDE, SIDE, YES_NO),
    "head_turning": (YES_NO, SIDE),
    "blank_stare": (YES_NO, YES_NO),
    "oral_automatisms": (YES_NO,),
    "limb_automatisms": (YES_NO, SIDED_PARTS),
    "pelvic_thrusting": (YES_NO,),
    "asynchronous_movement": (PARTS, VARYING, YES_NO, YES_NO),
    "arms_move_simultaneously": (YES_NO,),
    "full_body_shaking": (YES_NO,),
    "close_eyes": (YES_NO,),
    "eye_blinking": (YES_NO, YES_NO),
    "verbal_responsiveness": (YES_NO, YES_NO),
    "ictal_vocalization": (YES_NO, YES_NO),
}
"""Words by feature and question, in the order of `semiology.metrics.s3.text.justification_rules.READERS`."""
