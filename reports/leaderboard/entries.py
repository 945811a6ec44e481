"""From scored runs to entries of a leaderboard: figures, and nothing that belongs to a patient."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from semiology.metrics.scores.run_scores import FeatureScores, MacroScores
from semiology.metrics.statistics.intervals import Estimate
from semiology.reports.leaderboard.withholding import withheld_figures
from semiology.reports.provenance import fingerprint
from semiology.reports.published.baselines import PREFIX
from semiology.reports.read.feature_answers import Results
from semiology.reports.summary.features import RunSummary, Summary

if TYPE_CHECKING:
    import pandas as pd

FEWEST_TRUTHS = 100
"""A fingerprint of fewer annotations could be undone by trying them all; then none is given."""
SOFTWARE = ("semiology-eval", "lmms-eval", "transformers", "torch")
"""Packages whose versions an entry tells, where the run recorded them."""
CARD = ("parameters_billions", "licence", "revision", "developer", "released", "link")
FEATURE_SCORES = (
    "f1",
    "balanced_accuracy",
    "precision",
    "recall",
    "specificity",
    "accuracy",
    "mcc",
    "f1_minus_always_yes",
    "unparsed_rate",
)
_WORD = re.compile(r"[A-Za-z0-9_.@-]+")
_REVISION = re.compile(r"(?:^|,)revision=([^,]+)")


class IdentifierError(ValueError):
    """An entry would carry an id of a recording or a patient."""


@dataclass(frozen=True)
class ExportOptions:
    """How entries are made.

    Attributes:
        cards: model card data (`CARD`) by model name.
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
    _check_cards(options.cards, names)
    withheld = [(frozenset[str](), frozenset[str]())] * len(summary.runs)
    if not options.internal:
        withheld = withheld_figures([run.scores for run in summary.runs], FEATURE_SCORES)
    made = [
        _entry(run, results, summary, options, without)
        for run, without in zip(summary.runs, withheld, strict=True)
    ]
    _refuse_identifiers(made, results.answers)
    return made


def entry_id(entry: Mapping[str, Any]) -> str:
    """Return the id of an entry.

    The same model asked the same way about the same data by the same laboratory has the same one, whatever
    the versions of the software; two laboratories have one each.
    """
    key = [
        entry["model"]["name"],
        entry["model"]["revision"],
        entry["protocol"],
        entry["data"]["name"],
        entry["data"]["fingerprint"],
        entry["source"],
        entry["submitter"],
    ]
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]


def _entry(
    run: RunSummary,
    results: Results,
    summary: Summary,
    options: ExportOptions,
    withheld: tuple[frozenset[str], frozenset[str]],
) -> dict[str, Any]:
    answers = results.answers[
        (results.answers["model"] == run.model) & (results.answers["enhancement"] == run.enhancement)
    ]
    answers = answers[answers["prompt_id"] == run.prompt.partition("@")[0]]
    record = dict(results.records.get(run.model) or {})
    name = run.model.removeprefix(PREFIX)
    published = run.model.startswith(PREFIX)
    card = {key: options.cards.get(name, {}).get(key) for key in CARD}
    found = _REVISION.search(str(record.get("model_args") or ""))
    card["revision"] = card["revision"] or (found.group(1) if found else None)
    hidden, means = withheld
    known = len(answers[["video_id", "feature", "truth"]].drop_duplicates())
    entry: dict[str, Any] = {
        "id": "",
        "model": {"name": name, **card},
        "protocol": _protocol(run, answers, record, summary),
        "data": {
            "name": record.get("data"),
            "fingerprint": fingerprint(answers) if known >= FEWEST_TRUTHS else None,
            "simulated": bool(record.get("simulated")),
            "recordings": int(answers["video_id"].nunique()),
            "patients": int(answers["patient_id"].nunique()),
        },
        "source": "published answers" if published else "run",
        "intervals": {
            "method": "patient-clustered",
            "level": 0.95,
            "resamples": summary.resamples,
            "seed": summary.seed,
        },
        "software": {
            name: str(version) for name, version in (record.get("packages") or {}).items() if name in SOFTWARE
        },
        "macro": [
            _macro(macro) for macro in run.scores.macros if macro.features and macro.group not in means
        ],
        "features": [_feature(scores, withheld=scores.feature in hidden) for scores in run.scores.features],
        "caveats": [text for text in summary.caveats if run.model in text or "recordings" in text],
        "submitted": (options.today or date.today()).isoformat(),  # noqa: DTZ011 - the day here, no time zone
        # Published answers are no laboratory's own: whoever exports them, the entry is the same.
        "submitter": None if published else options.submitter,
    }
    return entry | {"id": entry_id(entry)}


def _protocol(
    run: RunSummary, answers: pd.DataFrame, record: Mapping[str, Any], summary: Summary
) -> dict[str, Any]:
    hashes = answers[answers["prompt_hash"].notna() & (answers["prompt_hash"] != "")]
    pairs = hashes[["feature", "prompt_hash"]].drop_duplicates("feature")
    window = record.get("window")
    return {
        "wording": run.prompt,
        "prompt_sha256": dict(sorted(zip(pairs["feature"], pairs["prompt_hash"], strict=True))),
        "enhancement": run.enhancement,
        "window": str(window) if window else None,
        "aggregation": "any_yes",
        "unusable_answers": summary.policy,
    }


def _macro(macro: MacroScores) -> dict[str, Any]:
    return {
        "group": macro.group,
        "features": list(macro.features),
        "scores": {name: _score(macro.estimates[name]) for name in FEATURE_SCORES},
        "always_yes_f1": _number(macro.estimates["always_yes_f1"].value),
    }


def _feature(scores: FeatureScores, *, withheld: bool) -> dict[str, Any]:
    counts = {
        "n": scores.n,
        "n_patients": scores.n_patients,
        "n_positive": scores.n_positive,
        "n_positive_patients": scores.n_positive_patients,
        "unparsed": scores.n_unparsed,
    }
    baselines = {
        name: _number(getattr(scores, name)) for name in ("always_yes_f1", "random_f1", "prevalence")
    }
    return {
        "feature": scores.feature,
        "withheld": withheld,
        **(dict.fromkeys(counts) if withheld else counts),
        "scores": {} if withheld else {name: _score(scores.estimates[name]) for name in FEATURE_SCORES},
        **(dict.fromkeys(baselines) if withheld else baselines),
    }


def _score(estimate: Estimate) -> dict[str, float | None]:
    return {
        "value": _number(estimate.value),
        "low": _number(estimate.low),
        "high": _number(estimate.high),
    }


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(float(value), 4)


def _check_cards(cards: Mapping[str, Mapping[str, Any]], names: set[str]) -> None:
    for model, card in cards.items():
        if model not in names:
            raise ValueError(
                f"the model card of {model!r} is about no model here → there are: {sorted(names)}"
            )
        strange = sorted(set(card) - set(CARD))
        if strange:
            raise ValueError(
                f"the model card of {model!r} has an unknown key {strange[0]!r} → use {', '.join(CARD)}"
            )


def _refuse_identifiers(made: Sequence[Mapping[str, Any]], answers: pd.DataFrame) -> None:
    """Refuse entries in which an id of a recording or patient stands as a word of its own."""
    ids = {str(value) for column in ("video_id", "patient_id") for value in answers[column].unique()}
    telling = {name for name in ids if len(name) >= 3 and not name.isalpha()}
    for entry in made:
        for text in _texts({key: value for key, value in entry.items() if key != "id"}):
            hit = next((word for word in (text, *_WORD.findall(text)) if word in telling), None)
            if hit is not None:
                raise IdentifierError(
                    f"the entry of {entry['model']['name']!r} would hold the id of a recording or patient "
                    "→ rename the model or the recording set; ids never leave the laboratory"
                )


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return []
