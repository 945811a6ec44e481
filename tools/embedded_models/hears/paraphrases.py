"""Further ways to ask, for training only: from a dozen wordings alone a small model learns no language.

They are not part of the prompt library and are never scored. None repeats a wording that is kept back.
"""

from __future__ import annotations

PARAPHRASES: dict[str, tuple[str, ...]] = {
    "verbal_responsiveness": (
        "Is there a coherent spoken answer of the patient to somebody's question?",
        "Somebody may talk to the patient. Does an intelligible answer follow?",
        "Does the patient respond verbally and sensibly to another person's words?",
        "When asked something, does the patient give a meaningful spoken response?",
        "Does the patient talk back coherently after being addressed?",
        "Is a person who addresses the patient given a sensible answer?",
    ),
    "ictal_vocalization": (
        "Are there groans or moans from the patient?",
        "Can throaty noises, groans or a phrase said again and again be heard?",
        "Is there any moaning, groaning or repeated phrase in the sound?",
        "Listen to the patient: is there groaning, or are the same words uttered over and over?",
        "Did the patient utter stereotyped phrases or make guttural noises?",
        "Besides normal speech, are moans, groans or throaty noises present?",
    ),
}
"""Yes means that the sign is present."""

NEGATED_PARAPHRASES: dict[str, tuple[str, ...]] = {
    "verbal_responsiveness": (
        "When spoken to, does the patient fail to answer coherently?",
        "Is the patient verbally unresponsive when addressed?",
        "Does the patient give no sensible answer to a person who talks to him or her?",
    ),
    "ictal_vocalization": (
        "Is the patient free of groaning and moaning?",
        "Are groans, moans and repeated phrases absent from the sound?",
        "Does the patient make no groaning, moaning or throaty noise and repeat no phrase?",
    ),
}
"""Yes means that the sign is absent."""
