"""What a run was asked, and what it is called wherever its numbers stand: one label, computed at reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from semiology.prompts.library import PromptLibraryError, load_library, prompt_hash, render
from semiology.render.text import counted

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


MIXED = "what sets them apart there is model and question together"
Texts = Mapping[str, frozenset[str]]
"""Hashes of the texts that were sent, by feature; a text of unknown hash is named by its wording."""


def texts_asked(answers: pd.DataFrame) -> dict[str, frozenset[str]]:
    """Return which texts stand behind answers: columns feature, prompt_hash and prompt_id."""
    columns = answers[_TEXT].drop_duplicates()
    known = columns["prompt_hash"].notna() & (columns["prompt_hash"] != "")
    texts = columns["prompt_hash"].where(known, columns["prompt_id"] + " (text not recorded)")
    return {str(name): frozenset(group) for name, group in texts.groupby(columns["feature"])}


def asked_differently(first: Texts, second: Texts) -> tuple[list[str], int]:
    """Return the features on which two sides were sent no text in common, and how many both were asked about."""
    both = [name for name in first if name in second]
    return [name for name in both if not first[name] & second[name]], len(both)


def different_questions(asked: Mapping[str, tuple[str, Texts]], noun: str = "feature") -> list[str]:
    """Return a sentence where models that stand side by side were asked differently; [] where none was.

    Args:
        asked: label of its wording and the texts sent, by model. noun: what the texts are about.
    """
    pairs = [
        asked_differently(one[1], other[1])
        for number, one in enumerate(asked.values())
        for other in list(asked.values())[number + 1 :]
    ]
    features = {name for differing, _ in pairs for name in differing}
    if not features:
        return []
    by_wording: dict[str, list[str]] = {}
    for model, (wording, _) in asked.items():
        by_wording.setdefault(wording, []).append(model)
    told = "; ".join(f"{wording}: {', '.join(models)}" for wording, models in by_wording.items())
    what = counted(len(features), noun)
    return [f"Models were asked differently about {what} (wording {told}): {MIXED}."]


def _own_hashes() -> dict[tuple[str, str], str]:
    """Return the hash of every wording of the prompt library in its own form, by feature and id."""
    try:
        library = load_library()
    except PromptLibraryError:
        return {}
    return {(prompt.feature, prompt.id): prompt_hash(render(prompt)) for prompt in library}
