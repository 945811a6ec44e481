"""The reference justification of each answer: one sentence on what is seen or heard, from the script."""

from __future__ import annotations

from semiology.data.simulated.script.script import Script

# What is seen or heard with the sign, and what without it; {side} is the patient's own.
_SENTENCES: dict[str, tuple[str, str]] = {
    "occur_during_sleep": (
        "The patient lies asleep with closed eyes before the event begins.",
        "The patient is awake, with open eyes, before the event begins.",
    ),
    "arm_flexion": ("The {side} arm bends at the elbow and stays bent.", "No arm is held bent at the elbow."),
    "arm_straightening": (
        "The {side} arm stretches out stiffly at the elbow.",
        "No arm is stretched out stiffly.",
    ),
    "arms_move_simultaneously": (
        "Both arms begin to move at the same moment.",
        "The arms do not begin to move at the same moment.",
    ),
    "figure4": (
        "The {side} arm is bent across the chest while the other arm is straight.",
        "There is no posture with one arm bent and the other straight.",
    ),
    "tonic": ("The limbs stiffen and hold a fixed posture.", "The limbs do not stiffen in a held posture."),
    "clonic": (
        "The {side} arm jerks again and again in a steady rhythm.",
        "No limb jerks in a steady rhythm.",
    ),
    "limb_automatisms": (
        "The {side} hand fumbles and rubs again and again without a purpose.",
        "The hands do not fumble or rub without a purpose.",
    ),
    "asynchronous_movement": (
        "Arms and legs shake out of step with each other.",
        "The limbs do not shake out of step with each other.",
    ),
    "pelvic_thrusting": (
        "The hips are thrust upwards again and again.",
        "The hips are not thrust upwards.",
    ),
    "full_body_shaking": ("Trunk, head and limbs shake all at once.", "The body as a whole does not shake."),
    "blank_stare": (
        "The eyes are wide open and fixed, and the face is empty.",
        "The gaze moves and is not fixed.",
    ),
    "close_eyes": (
        "The eyes stay closed during the event.",
        "The eyes do not stay closed during the event.",
    ),
    "eye_blinking": ("The eyelids blink rapidly again and again.", "The eyelids blink only as usual."),
    "face_pulling": (
        "The {side} corner of the mouth is drawn outwards and held.",
        "No corner of the mouth is drawn outwards and held.",
    ),
    "face_twitching": ("The {side} side of the face twitches in quick jerks.", "The face does not twitch."),
    "oral_automatisms": (
        "The mouth opens and closes as in chewing.",
        "The mouth makes no repeated chewing or smacking movements.",
    ),
    "head_turning": (
        "The head is turned far to the {side} and held there.",
        "The head is not forced to a side.",
    ),
    "verbal_responsiveness": (
        "The patient answers in words when spoken to.",
        "The patient is spoken to and does not answer.",
    ),
    "ictal_vocalization": (
        "The patient groans or repeats a phrase during the event.",
        "The patient makes no sound during the event.",
    ),
}


def reference_justification(feature: str, script: Script) -> str | None:
    """Return one sentence for the answer on a feature, or None where the truth is neither yes nor no.

    Raises:
        KeyError: ``feature`` is not one of the 20 names.
    """
    present = script.present(feature)
    if present == "na":
        return None
    seen, absent = _SENTENCES[feature]
    if present == "no":
        return absent
    side = script.side(feature)
    if side in ("left", "right"):
        return seen.format(side=side)
    return seen.replace("The {side} ", "Each ").format(side="left and right")
