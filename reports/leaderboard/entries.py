"""From scored runs to entries of a leaderboard: scores, and nothing that belongs to a patient."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from semiology.features import FEATURES
from semiology.metrics.scores.run_scores import FeatureScores, MacroScores, score_run
from semiology.metrics.statistics.intervals import Estimate
from semiology.render.text import rounded
from semiology.reports.leaderboard.models import FEATURE_SCORES, HUMAN, SOFTWARE, Card, entry_id
from semiology.reports.provenance import fingerprint
from semiology.reports.read.asked import PREFIX
from semiology.reports.read.feature_answers import Results
from semiology.reports.summary.features import GROUPS, RunSummary, Summary, labelled_recordings

FEWEST_TRUTHS = 100
"""A fingerprint of fewer annotations could be undone by trying them all; then none is given."""
SMALL_CELL = 5
"""Scores on a feature are withheld where fewer patients show, or fewer recordings lack, the feature."""
_COUNTS = {
    "n": "n",
    "n_patients": "n_patients",
    "n_positive": "n_positive",
    "n_positive_patients": "n_positive_patients",
    "unparsed": "n_unparsed",
}
_CHANCE = ("always_yes_f1", "random_f1", "prevalence")
_WORD = re.compile(r"[A-Za-z0-9_.@-]+")
_REVISION = re.compile(r"(?:^|,)revision=([^,]+)")


class IdentifierError(ValueError):
    """An entry would carry an id of a recording or a patient."""


@dataclass(frozen=True)
class ExportOptions:
    """How entries are made.

    Attributes:
        cards: model card data (fields of `Card`) by model name.
        submitter: name of the laboratory whose runs these are, or None.
        internal: give small cells too, for use within one institution.
        today: date of the entries.
    """

    cards: Mapping[str, Mapping[str, Any]]
    submitter: str | None = None
    internal: bool = False
    today: date | None = None


def entries(results: Results, summary: Summary, options: ExportOptions) -> list[dict[str, Any]]:
    """Return one entry for each model, wording and enhancement.

    Args:
        results: the answers. summary: their scores.
        options: model cards and what may be told.

    Raises:
        IdentifierError: an entry would hold an id of a recording or patient (a model named so, say).
        ValueError: a model card is about no model, or holds an unknown key.
    """
    names = {run.model.removeprefix(PREFIX) for run in summary.runs}
    for model, card in options.cards.items():
        if model not in names:
            raise ValueError(
                f"the model card of {model!r} is about no model here → there are: {sorted(names)}"
            )
        if strange := sorted(set(card) - set(Card.model_fields)):
            known = ", ".join(Card.model_fields)
            raise ValueError(f"the model card of {model!r} has an unknown key {strange[0]!r} → use {known}")
    made = [_entry(run, results, summary, options) for run in summary.runs]
    _refuse_identifiers(made, results.answers)
    return made


def _entry(run: RunSummary, results: Results, summary: Summary, options: ExportOptions) -> dict[str, Any]:
    answers = results.answers
    for column, value in (("model", run.model), ("enhancement", run.enhancement), ("prompt", run.prompt)):
        answers = answers[answers[column] == value]
    record = dict(results.records.get(run.model) or {})
    name, published = run.model.removeprefix(PREFIX), run.model.startswith(PREFIX)
    card = {key: options.cards.get(name, {}).get(key) for key in Card.model_fields}
    found = _REVISION.search(str(record.get("model_args") or ""))
    card["revision"] = card["revision"] or (found.group(1) if found else None)
    known = len(answers[["video_id", "feature", "truth"]].drop_duplicates())
    pairs = answers[answers["prompt_hash"].notna() & (answers["prompt_hash"] != "")]
    pairs = pairs[["feature", "prompt_hash"]].drop_duplicates("feature")
    # How many patients lack a feature altogether is not known here; the recordings without it are a bound.
    small = {
        each.feature
        for each in run.scores.features
        if min(each.n_positive_patients, each.n - each.n_positive) < SMALL_CELL and not options.internal
    }
    macros = _macros_without(small, answers, summary) if small else run.scores.macros
    entry: dict[str, Any] = {
        "id": "",
        "model": {"name": name, **card},
        "protocol": {
            "wording": run.prompt,
            "prompt_sha256": dict(sorted(zip(pairs["feature"], pairs["prompt_hash"], strict=True))),
            "enhancement": run.enhancement,
            "window": str(record["window"]) if record.get("window") else None,
            "aggregation": "any_yes",
            "unusable_answers": summary.policy,
        },
        "data": {
            "name": record.get("data"),
            "fingerprint": fingerprint(answers) if known >= FEWEST_TRUTHS else None,
            "simulated": bool(record.get("simulated")),
            "recordings": int(answers["video_id"].nunique()),
            "patients": int(answers["patient_id"].nunique()),
        },
        "source": "published answers" if published else HUMAN if record.get("human") else "run",
        "intervals": {
            "method": "patient-clustered",
            "level": 0.95,
            "resamples": 0,  # nothing is drawn: the limits follow from the patients themselves
            "seed": summary.seed,
        },
        "software": {
            name: str(version) for name, version in (record.get("packages") or {}).items() if name in SOFTWARE
        },
        "macro": [
            {
                "group": macro.group,
                "features": list(macro.features),
                "scores": {name: _score(macro.estimates[name]) for name in FEATURE_SCORES},
                "always_yes_f1": rounded(macro.estimates["always_yes_f1"].value, 4),
            }
            for macro in macros
            if macro.features
        ],
        "features": [_feature(each, withheld=each.feature in small) for each in run.scores.features],
        "caveats": [text for text in results.caveats if run.model in text or "recordings" in text],
        "submitted": (options.today or date.today()).isoformat(),  # noqa: DTZ011 - the day here, no time zone
        # Published answers are no laboratory's own: whoever exports them, the entry is the same.
        "submitter": None if published else options.submitter,
    }
    return entry | {"id": entry_id(entry)}


def _macros_without(small: set[str], answers: pd.DataFrame, summary: Summary) -> list[MacroScores]:
    """Return the means over the features whose scores are told, so that none tells of those withheld."""
    told = {group: [name for name in names if name not in small] for group, names in GROUPS.items()}
    found: dict[tuple[str, ...], MacroScores] = {}
    for macro in score_run(
        labelled_recordings(answers), FEATURES, told, policy=summary.policy, seed=summary.seed
    ).macros:
        found.setdefault(macro.features, macro)  # a group of the same features would repeat the row
    return list(found.values())


def _feature(scores: FeatureScores, *, withheld: bool) -> dict[str, Any]:
    return {
        "feature": scores.feature,
        "withheld": withheld,
        **{key: None if withheld else getattr(scores, name) for key, name in _COUNTS.items()},
        "scores": {} if withheld else {name: _score(scores.estimates[name]) for name in FEATURE_SCORES},
        **{name: None if withheld else rounded(getattr(scores, name), 4) for name in _CHANCE},
    }


def _score(estimate: Estimate) -> dict[str, float | None]:
    return {name: rounded(getattr(estimate, name), 4) for name in ("value", "low", "high")}


def _refuse_identifiers(made: Sequence[Mapping[str, Any]], answers: pd.DataFrame) -> None:
    """Refuse entries in which an id of a recording or patient stands as a word of its own.

    Raises:
        IdentifierError: one does.
    """
    ids = {str(value) for column in ("video_id", "patient_id") for value in answers[column].unique()}
    telling = {name for name in ids if len(name) >= 3 and not name.isalpha()}

    def texts(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        return [text for part in parts for text in texts(part)]

    for entry in made:
        for text in texts({key: value for key, value in entry.items() if key != "id"}):
            if any(word in telling for word in (text, *_WORD.findall(text))):
                raise IdentifierError(
                    f"the entry of {entry['model']['name']!r} would hold the id of a recording or patient "
                    "→ rename the model or the recording set; ids never leave the laboratory"
                )
