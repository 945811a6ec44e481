"""What a simulated recording shows beside its features: harmless behaviour, caregivers, questions, alarms."""

from __future__ import annotations

from semiology.data.simulated.script.script import Script

BEHAVIOURS_FILE = "behaviours.csv"
BEHAVIOUR_COLUMNS = ("video_id", "behaviour", "onset_s", "offset_s", "side")
BEHAVIOURS = (
    "scratch", "yawn", "talk", "look", "sleep_turn", "caregiver", "address", "alarm", "postictal",
)  # fmt: skip
"""Behaviour that is no feature, by the names of the script's events."""
RESEMBLES = {
    "scratch": "limb_automatisms",
    "yawn": "oral_automatisms",
    "talk": "oral_automatisms",
    "look": "head_turning",
    "sleep_turn": "head_turning",
}
"""Hard negatives: harmless behaviour, and the feature for which it is most easily taken."""


def behaviour_rows(video_id: str, script: Script) -> list[dict[str, str]]:
    """Return a recording's rows of ``behaviours.csv``, by onset; times in seconds, the patient's own side."""
    rows = []
    for event in script.of(*BEHAVIOURS):
        cells = (video_id, event.feature, f"{event.onset_s:.1f}", f"{event.offset_s:.1f}", event.side or "")
        rows.append(dict(zip(BEHAVIOUR_COLUMNS, cells, strict=True)))
    return rows
