"""A reference report in plain clinical language, computed from a script."""

from __future__ import annotations

from semiology.data.simulated.script.events import Side
from semiology.data.simulated.script.script import Script
from semiology.features import VISUAL_FEATURES

_WORDS: dict[str, str] = {
    "blank_stare": "a blank stare",
    "eye_blinking": "rapid eye blinking",
    "close_eyes": "eye closure",
    "face_pulling": "face pulling to the {side}",
    "face_twitching": "{side} face twitching",
    "oral_automatisms": "oral automatisms",
    "head_turning": "forced head turning to the {side}",
    "limb_automatisms": "{side} hand automatisms",
    "arm_flexion": "{side} arm flexion",
    "arm_straightening": "{side} arm extension",
    "figure4": "a figure-4 posture with the {side} arm flexed",
    "tonic": "tonic posturing",
    "clonic": "{side} clonic jerking",
    "asynchronous_movement": "asynchronous limb movements",
    "pelvic_thrusting": "pelvic thrusting",
    "full_body_shaking": "shaking of the full body",
    "arms_move_simultaneously": "both arms starting to move simultaneously",
}


def reference_report(script: Script) -> str:
    """Return one to three sentences: every visible sign in order of onset, then what is heard."""
    timed = [(script.interval(f), f) for f in VISUAL_FEATURES if f in _WORDS]
    ordered = [f for interval, f in sorted((i, f) for i, f in timed if i is not None)]
    phrases = [_WORDS[f].format(side=_side(script.side(f))) for f in ordered]
    opening = "Arising from sleep, the patient shows " if script.asleep_until_s else "The patient shows "
    sentences = [opening + ", then ".join(phrases) + "."] if phrases else ["No clear seizure sign is seen."]
    heard = []
    if script.present("ictal_vocalization") == "yes":
        heard.append("There is ictal vocalization.")
    answered = script.present("verbal_responsiveness")
    if answered != "na":
        heard.append(
            "The patient answers when addressed."
            if answered == "yes"
            else "The patient does not answer when addressed."
        )
    return " ".join([*sentences, *heard])


def _side(side: Side | None) -> str:
    return "bilateral" if side in ("both", None) else str(side)
