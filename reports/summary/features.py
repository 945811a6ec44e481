"""The first table: one row per model, wording, enhancement and feature, and the macro means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from semiology.features import AUDIO_FEATURES, FEATURES, FEATURES_BY_GROUP, VISUAL_FEATURES
from semiology.metrics.paired.verdict import Verdict
from semiology.metrics.published_rules import published_s3_task1_scores
from semiology.metrics.scores.aggregation import THREE_CLASSES, recording_answers
from semiology.metrics.scores.classification import Policy
from semiology.metrics.scores.run_scores import FeatureScores, MacroScores, RunScores, score_run
from semiology.metrics.statistics.intervals import MIN_POSITIVE_PATIENTS, RESAMPLES, Estimate
from semiology.render.text import counted, rounded
from semiology.reports.read.asked import NO_ENHANCEMENT, Asked, Texts, different_questions, texts_asked
from semiology.reports.read.feature_answers import Results
from semiology.reports.read.path_scrubbing import without_paths

GROUPS: Mapping[str, Sequence[str]] = {
    "visual": VISUAL_FEATURES,
    "limb_body": FEATURES_BY_GROUP["limb_body"],
    "facial": FEATURES_BY_GROUP["facial"],
    "audio": AUDIO_FEATURES,
    "all": FEATURES,
}
AGAINST_ALWAYS_YES: Mapping[Verdict, str] = {
    "higher": "above always-yes",
    "lower": "below always-yes",
    "equivalent": "equivalent to always-yes",
    "not shown": "not distinguishable from always-yes",
    "same answers": "the same as always-yes",
    "too few": "too few patients to tell",
    "undefined": "undefined",
}
"""What the verdicts of ``semiology compare always-yes …`` are called beside the scores of a run."""
FEATURE_ESTIMATES = (
    "precision",
    "recall",
    "f1",
    "accuracy",
    "specificity",
    "balanced_accuracy",
    "mcc",
    "kappa",
    "f1_minus_always_yes",
    "yes_rate",
    "unparsed_rate",
    "na_rate",
)
FEATURE_COUNTS = (
    *("n_positive", "n_positive_patients", "n_unparsed", "n_na", "n_na_truth", "n_without_truth"),
    "n_dropped",
)


@dataclass(frozen=True)
class RunSummary:
    """Scores of one model, wording and enhancement.

    Attributes:
        model, prompt, enhancement: what was asked; ``prompt`` is the wording's id, followed by the beginning
            of its hash where one id stands for several texts.
        scores: of features and groups of features.
        n_recordings, n_patients: behind each feature or group, by name.
        published: of features with three answers, by name, the scores of the published rule
            (`published_rules.published_s3_task1_scores`), of which no claim is made.
    """

    model: str
    prompt: str
    enhancement: str
    scores: RunScores
    n_recordings: Mapping[str, int]
    n_patients: Mapping[str, int]
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """All runs in a fixed order, with what a reader must know before and after the numbers."""

    runs: tuple[RunSummary, ...]
    caveats: tuple[str, ...]
    notes: tuple[str, ...]
    policy: Policy
    resamples: int
    seed: int


def summarise(
    results: Results,
    *,
    policy: Policy = "wrong",
    resamples: int = RESAMPLES,
    seed: int = 0,
    caveats: Mapping[str, str] | None = None,
) -> Summary:
    """Score all answers.

    Args:
        results: answers of one or several runs.
        policy: ``wrong`` or ``drop`` for recordings whose answer is neither yes nor no.
        resamples, seed: of the patient bootstrap of what else a report holds (wordings); the seed also of the test
            against always-yes.
        caveats: further remarks by model, shown above the table.

    Raises:
        ValueError: the answers contradict each other (two truths for one recording).
    """
    strange = sorted(set(results.answers["feature"].unique()) - set(FEATURES))
    notes = [without_paths(note) for note in results.notes]
    if strange:
        notes.append(f"answers on unknown features are not scored: {', '.join(strange)}")
    recordings = labelled_recordings(results.answers)
    members = {name: [name] for name in FEATURES} | {f"group:{k}": list(v) for k, v in GROUPS.items()}
    runs = []
    for (model, enhancement, prompt), group in recordings.groupby(
        ["model", "enhancement", "prompt_id"], sort=True
    ):
        found = score_run(group, FEATURES, GROUPS, policy=policy, seed=seed)
        distinct: dict[tuple[tuple[str, ...], ...], MacroScores] = {}
        for macro in found.macros:  # a group of the same features as an earlier one would repeat its row
            distinct.setdefault((macro.features, macro.left_out), macro)
        parts = {name: group[group["feature"].isin(features)] for name, features in members.items()}
        runs.append(
            RunSummary(
                str(model),
                str(prompt),
                str(enhancement),
                RunScores(found.features, tuple(distinct.values())),
                {name: part["video_id"].nunique() for name, part in parts.items()},
                {name: part["patient_id"].nunique() for name, part in parts.items()},
                {
                    name: published_s3_task1_scores(
                        parts[name]["truth"].tolist(), parts[name]["answer"].tolist(), three_classes=True
                    )
                    for name in THREE_CLASSES
                    if len(parts[name])
                },
            )
        )
    notes += _different_recordings(recordings)
    extra = [f"{model}: {text}" for model, text in sorted((caveats or {}).items())]
    extra += different_questions(_asked_of_models(results.answers))
    return Summary(tuple(runs), (*results.caveats, *extra), tuple(notes), policy, resamples, seed)


def headline(summary: Summary) -> str:
    """Return ``macro F1 (visual, N features): x.xx [lo, hi]; always-yes y.yy (above …)``, one line per run.

    With fewer patients than a single feature needs for an interval (`MIN_POSITIVE_PATIENTS`) their number
    stands in its place: that of the mean is wide then, and the tables give it with its caution. With several
    runs each line ends with the label of the one it is about. A run without visual features gives its first
    group.
    """
    lines = []
    for run in summary.runs:
        if run.scores.macros:
            line = _macro_line(run.scores.macros[0])
            label = Asked(run.model, run.prompt, run.enhancement).label
            label = f" ({label})" if len(summary.runs) > 1 else ""
            lines.append(line + label)
    return "\n".join(lines)


def summary_rows(summary: Summary) -> list[dict[str, Any]]:
    """Return the table for machines: one flat dict per feature and per group, all with the same keys.

    Undefined values and limits that are not estimable are None; ``f1_reason`` says why.
    """
    rows = []
    for run in summary.runs:
        head = {"model": run.model, "prompt": run.prompt, "enhancement": run.enhancement}
        rows += [{**head, **_feature_row(run, scores)} for scores in run.scores.features]
        rows += [{**head, **_macro_row(run, macro)} for macro in run.scores.macros]
    return [{key: row[key] for key in rows[0]} for row in rows]


def labelled_recordings(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the answers to recordings on known features; ``prompt_id`` is the label of the wording."""
    columns = ["model", "enhancement", "prompt", "video_id", "patient_id", "feature", "segment"]
    rows = answers.loc[answers["feature"].isin(FEATURES), [*columns, "answer", "truth"]]
    rows = rows.rename(columns={"prompt": "prompt_id"})
    return recording_answers(rows)


def _asked_of_models(answers: pd.DataFrame) -> dict[str, tuple[str, Texts]]:
    """Return the wordings and texts of each model's unenhanced runs (or of all, where it has none)."""
    found: dict[str, tuple[str, Texts]] = {}
    for model, group in answers.groupby("model", sort=True):
        plain = group[group["enhancement"] == NO_ENHANCEMENT]
        rows = group if plain.empty else plain
        labels = list(dict.fromkeys(map(str, rows["prompt"])))
        wording = labels[0] if len(labels) == 1 else f"{len(labels)} wordings"
        found[str(model)] = wording, texts_asked(rows)
    return found


def _different_recordings(recordings: pd.DataFrame) -> list[str]:
    """Say where models were asked about different recordings, since their scores then do not compare."""
    notes = []
    for feature in FEATURES:
        part = recordings[recordings["feature"] == feature]
        asked = {str(model): frozenset(group["video_id"]) for model, group in part.groupby("model")}
        if len(set(asked.values())) > 1:
            common = len(frozenset.intersection(*asked.values()))
            sizes = ", ".join(f"{model} {len(ids)}" for model, ids in asked.items())
            notes.append(f"{feature}: models answered different recordings ({sizes}; {common} in common)")
    if len(notes) > 3:
        notes = [*notes[:2], f"the same holds for {len(notes) - 2} more features"]
    return notes


def _macro_line(macro: MacroScores) -> str:
    f1, always = macro.estimates["f1"], macro.estimates["always_yes_f1"]
    if not macro.features:
        return f"macro F1 ({macro.group}, 0 features): undefined, no recording shows any of the features"
    limits = f"[{f1.low:.2f}, {f1.high:.2f}]" if f1.estimable else "[not estimable]"
    if f1.estimable and f1.n_patients < MIN_POSITIVE_PATIENTS:  # no feature alone could have an interval
        limits = f"[{counted(f1.n_patients, 'patient')}: interval in the table]"
    features = counted(len(macro.features), "feature")
    told = AGAINST_ALWAYS_YES[macro.against_always_yes["f1"]]
    return f"macro F1 ({macro.group}, {features}): {f1.value:.2f} {limits}; always-yes {always.value:.2f} ({told})"


def limit_cells(name: str, estimate: Estimate | None) -> dict[str, Any]:
    """Return the cells of an estimate in a table for machines: value, low and high; None where undefined."""
    value, low, high = (None,) * 3 if estimate is None else (estimate.value, estimate.low, estimate.high)
    return {name: rounded(value), f"{name}_low": rounded(low), f"{name}_high": rounded(high)}


def _claims(scores: FeatureScores | MacroScores) -> dict[str, Any]:
    return {
        "against_always_yes": AGAINST_ALWAYS_YES[scores.against_always_yes["f1"]],
        "p_against_always_yes": rounded(scores.p_always_yes["f1"]),
    }


def _remarks(f1: Estimate) -> dict[str, Any]:
    return {
        "f1_method": f1.method,
        "f1_reason": f1.reason or f1.caution,
        "f1_undefined_resamples": rounded(f1.undefined_share),
    }


def _feature_row(run: RunSummary, scores: FeatureScores) -> dict[str, Any]:
    cells: dict[str, Any] = {"level": "feature", "name": scores.feature, "n_features": 1}
    for name in FEATURE_ESTIMATES:
        cells |= limit_cells(name, scores.estimates[name])
    return cells | {
        "always_yes_f1": rounded(scores.always_yes_f1),
        "random_f1": rounded(scores.random_f1),
        "prevalence": rounded(scores.prevalence),
        "n_scored": scores.n,
        "n_recordings": run.n_recordings[scores.feature],
        "n_patients": scores.n_patients,
        **{name: getattr(scores, name) for name in FEATURE_COUNTS},
        "clears_always_yes": scores.clears_chance,
        **_claims(scores),
        **_remarks(scores.estimates["f1"]),
    }


def _macro_row(run: RunSummary, macro: MacroScores) -> dict[str, Any]:
    cells: dict[str, Any] = {"level": "macro", "name": macro.group, "n_features": len(macro.features)}
    for name in FEATURE_ESTIMATES:
        cells |= limit_cells(name, macro.estimates.get(name))
    return cells | {
        "always_yes_f1": rounded(macro.estimates["always_yes_f1"].value),
        "prevalence": rounded(macro.estimates["prevalence"].value),
        "n_scored": macro.estimates["f1"].n,
        "n_recordings": run.n_recordings[f"group:{macro.group}"],
        "n_patients": run.n_patients[f"group:{macro.group}"],
        "clears_always_yes": macro.clears_chance,
        **_claims(macro),
        **dict.fromkeys(("random_f1", *FEATURE_COUNTS)),
        **_remarks(macro.estimates["f1"]),
    }
