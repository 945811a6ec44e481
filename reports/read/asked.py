"""What a run was asked, and what it is called wherever its numbers stand: one label, computed at reading."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from semiology.prompts.library import PromptLibraryError, load_library, prompt_hash, render

REFERENCE = "s3"
"""Id of the reference wording."""
OWN_FORMAT = "own"
"""What a sweep records for a wording in the answer format that the prompt library gives it."""
NO_ENHANCEMENT = "none"
PREFIX = "published: "
"""Before the name of a published model, so that nobody takes it for a run of the user."""
_TEXT = ["feature", "prompt_id", "prompt_hash"]
"""Columns that name a text as it was sent."""


@dataclass(frozen=True, order=True)
class Asked:
    """One run: a model, asked in one wording and one answer format, with or without an enhancement.

    Attributes:
        model: name; that of a published model begins with `PREFIX`.
        prompt: label of the wording and its answer format, as `with_wording_labels` gives it.
        enhancement: its name, or ``none``.
    """

    model: str
    prompt: str = ""
    enhancement: str = NO_ENHANCEMENT

    @property
    def label(self) -> str:
        """The model, then what differs from the reference question."""
        wording = "" if self.prompt in ("", REFERENCE) else f"wording {self.prompt}"
        enhancement = "" if self.enhancement in ("", NO_ENHANCEMENT) else self.enhancement
        return " · ".join(filter(None, (self.model, wording, enhancement)))


def is_reference(prompt: str) -> bool:
    """Whether a wording's label is that of the reference, in whichever answer format."""
    return prompt == REFERENCE or prompt.startswith((f"{REFERENCE}+", f"{REFERENCE}@"))


def with_wording_labels(answers: pd.DataFrame) -> pd.DataFrame:
    """Return answers with the column ``prompt``, the label of the wording; labels that are there stay.

    The label is the wording's id. Where one id stands for several texts of a feature, the label of a text that
    is neither recorded as `OWN_FORMAT` nor the prompt library's own form is followed by the answer format, or,
    where that does not tell the texts apart, by the beginning of the text's hash.
    """
    if "prompt" in answers.columns:
        missing = answers["prompt"].isna()
        return answers.assign(prompt=answers["prompt"].mask(missing, answers["prompt_id"]))
    texts = answers[_TEXT].drop_duplicates()
    if "answer_format" in answers.columns:
        formats = answers[[*_TEXT, "answer_format"]].dropna().drop_duplicates(_TEXT)
        texts = texts.merge(formats, on=_TEXT, how="left")
    else:
        texts = texts.assign(answer_format=None)
    own = _own_hashes()
    labels = []
    for feature, prompt, digest, form in texts[[*_TEXT, "answer_format"]].itertuples(index=False, name=None):
        same = (texts["feature"] == feature) & (texts["prompt_id"] == prompt) & texts["prompt_hash"].notna()
        alone = isinstance(form, str) and (texts[same]["answer_format"] == form).sum() == 1
        library = own.get((feature, prompt))
        recorded = alone and form == OWN_FORMAT and library not in set(texts[same]["prompt_hash"])
        if not isinstance(digest, str) or same.sum() == 1 or library == digest or recorded:
            labels.append(str(prompt))
        elif alone and form != OWN_FORMAT:
            labels.append(f"{prompt}+{form}")
        else:
            labels.append(f"{prompt}@{digest[:8]}")
    merged = answers.merge(texts[_TEXT].assign(prompt=labels), on=_TEXT, how="left")
    return merged.set_axis(answers.index)


def _own_hashes() -> dict[tuple[str, str], str]:
    """Return the hash of every wording of the prompt library in its own form, by feature and id."""
    try:
        library = load_library()
    except PromptLibraryError:
        return {}
    return {(prompt.feature, prompt.id): prompt_hash(render(prompt)) for prompt in library}
