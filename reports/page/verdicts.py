"""The first answer of the page: of each feature, what the model's answers are worth, in plain words and counts.

A sentence that claims something follows the patient sign-flip test (against always-yes) or the lower limit of an
interval; a feature without either is said to be undecided, with the patients that would be needed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from semiology.features import THREE_CLASSES, group_of
from semiology.metrics.scores.run_scores import FeatureScores
from semiology.metrics.statistics.intervals import MIN_POSITIVE_PATIENTS, Estimate
from semiology.render.text import counted
from semiology.reports.page.score_cells import GROUP_TITLES, interval
from semiology.reports.summary.run_labels import ShownRun
from semiology.reports.summary.wordings import ModelWordings

TRUSTED = 0.8
"""The least share right, by the lower limit of its interval, from which a kind of answer is called mostly right."""
EXAMPLES = 3
POWER_80 = 2.8
"""Sum of the normal quantiles of a two-sided 5 % test and of 80 % power."""
LIMIT = 1.96
"""The normal quantile behind a 95 % interval."""
ORDER = ("good", "part", "open", "flat", "bad")
"""Kinds of verdicts, in the order shown."""
RATES = {"sensitivity": "recall", "specificity": "specificity", "PPV": "precision"}
"""What a clinician calls a rate, and its name in the scores."""


def verdict_sections(
    runs: Sequence[ShownRun],
    confusions: Sequence[Mapping[str, Any]],
    wordings: Sequence[ModelWordings],
    prompts: Sequence[Mapping[str, Any]],
    errors: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
) -> list[dict[str, Any]]:
    """Return one section per main run: its features with verdict, rates, wording and examples of errors.

    Args:
        runs: all runs of the page; only main ones are shown.
        confusions: of `semiology.reports.page.confusions.confusion_rows`.
        wordings: sweeps, for the wording that other patients chose.
        prompts: of `semiology.reports.page.prompt_texts.prompt_rows`.
        errors: of `example_errors`.
    """
    counts = {(row["run"].key, row["feature"]): row for row in confusions}
    sections = []
    for run in runs:
        if not run.main or not run.summary.scores.features:
            continue
        rows = []
        for scores in run.summary.scores.features:
            kind, sentence = verdict(scores)
            row = counts[run.key, scores.feature]
            rows.append(
                {
                    "feature": scores.feature,
                    "group": GROUP_TITLES[group_of(scores.feature)],
                    "kind": kind,
                    "sentence": sentence,
                    "rates": [] if scores.three_classes else _rates(scores, row),
                    "n": scores.n,
                    "patients": scores.n_patients,
                    "positive": scores.n_positive,
                    "wording": asked_wording(run, scores.feature, wordings, prompts),
                    "errors": errors.get((run.key, scores.feature), []),
                }
            )
        rows.sort(key=lambda each: ORDER.index(each["kind"]))
        sections.append(
            {"key": run.key, "label": run.label, "marks": run.marks, "rows": rows, "tally": tally(rows)}
        )
    return sections


def verdict(scores: FeatureScores) -> tuple[str, str]:
    """Return the kind of verdict on a feature, one of `ORDER`, and the sentence that says it.

    ``good``: above always-yes, and a yes (or the finding of what is there) is right in at least `TRUSTED` by the lower
    limit of the interval; ``part``: above always-yes alone; ``open``: the data cannot tell; ``flat``, ``bad``: no
    better, or worse, than always saying yes.
    """
    told = scores.against_always_yes["f1"]
    if told == "higher":
        return _above(scores)
    if told == "lower":
        return "bad", "Worse than always saying yes: do not use these answers."
    if told == "same answers":
        return "flat", "Says yes throughout, as always-yes does: these answers tell nothing."
    if told == "undefined":
        return "open", "No recording shows the feature."
    if scores.n_positive_patients < MIN_POSITIVE_PATIENTS:
        short = counted(MIN_POSITIVE_PATIENTS - scores.n_positive_patients, "more patient")
        return "open", f"At least {short} who show the feature would be needed."
    if told == "too few":
        return "open", "Too few patients for the test."
    if told == "equivalent":
        return "flat", "As good as always saying yes, and no better: these answers tell nothing."
    more = patients_missing(scores.estimates["f1_minus_always_yes"])
    if more is None:
        return "flat", "Not shown to be better than always saying yes."
    return "open", (
        "Not shown to be better than always saying yes; if the difference is what it seems, about "
        f"{counted(more, 'more patient')} would show it."
    )


def patients_missing(difference: Estimate) -> int | None:
    """Return about how many more patients would show a difference with a power of 80 %; None where none points there.

    The standard error is taken from the interval and shrinks with the root of the number of patients (two-sided 5 %
    test, normal approximation), so that n (2.8 SE / difference)^2 patients are needed; two digits of it are given.
    `semiology power` simulates instead.

    >>> patients_missing(Estimate(0.1, -0.05, 0.25, "", n=90, n_patients=30))
    110
    """
    if difference.low is None or difference.high is None or not difference.value > 0:
        return None
    error = (difference.high - difference.low) / (2 * LIMIT)
    more = difference.n_patients * ((POWER_80 * error / difference.value) ** 2 - 1)
    if more <= 0:
        return None
    digits = max(0, math.floor(math.log10(more)) - 1)
    step = int(10**digits)
    return math.ceil(more / step) * step


def asked_wording(
    run: ShownRun, feature: str, wordings: Sequence[ModelWordings], prompts: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the wording to use: the one that most other patients chose in a sweep, else the one that was asked.

    The text is None where it is not known; ``sure`` says how sure the choice is.
    """
    name, sure = run.summary.prompt, "the only wording asked"
    for strip in (s for each in wordings if each.model == run.summary.model for s in each.strips):
        if strip.answers.feature != feature:
            continue
        k, chosen = len(strip.answers.wordings), strip.chosen
        if chosen is None:
            sure = f"{k} wordings were asked; too few patients to choose one on some and score it on others"
            continue
        name, times = Counter(chosen.chosen).most_common(1)[0]
        held_out = interval(chosen.held_out)
        limits = (
            "no interval" if held_out["low"] is None else f"{held_out['low']:.2f} to {held_out['high']:.2f}"
        )
        sure = (
            f"of {k} wordings chosen {times} of {len(chosen.chosen)} times on other patients; F1 of what was so chosen "
            f"{held_out['value']:.2f} ({limits}), of the reference {chosen.reference:.2f}"
        )
    text = next((p["text"] for p in prompts if p["feature"] == feature and p["label"] == name), None)
    return {"name": name, "text": text, "sure": sure}


def example_errors(
    recordings: pd.DataFrame, runs: Sequence[ShownRun], data: Mapping[str, Any], names: Mapping[str, str]
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return up to `EXAMPLES` wrong answers of each main run and feature, those with a reply to read first.

    Args:
        recordings: answers as scored, with the key of their run as ``run``.
        runs: of the page. data: of `semiology.reports.page.recordings.recording_data`. names: of its recordings.
    """
    place = {name: str(i) for i, name in enumerate(data["recordings"])}
    main = recordings[recordings["run"].isin([run.key for run in runs if run.main])]
    scored = main["truth"].isin(["yes", "no"]) | (
        (main["truth"] == "na") & main["feature"].isin(list(THREE_CLASSES))
    )
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (run, feature), part in main[scored & (main["answer"] != main["truth"])].groupby(
        ["run", "feature"], observed=True
    ):
        texts = data["texts"].get(run, {}).get(feature, {})
        shown = [
            {
                "recording": name,
                "kind": {("yes", "no"): "missed", ("no", "yes"): "false alarm"}.get(
                    (truth, answer), f"answered {answer}"
                ),
                "text": next(iter(texts.get(place[name], {}).values()), ""),
                "video": data.get("videos", {}).get(place[name]),
            }
            for name, truth, answer in sorted(
                (names[str(video)], str(truth), str(answer))
                for video, truth, answer in zip(part["video_id"], part["truth"], part["answer"], strict=True)
            )
        ]
        found[str(run), str(feature)] = sorted(shown, key=lambda each: not each["text"])[:EXAMPLES]
    return found


def tally(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return how many features have which kind of verdict, in a sentence."""
    said = {
        "good": "can be relied on in part or whole",
        "part": "better than always-yes",
        "open": "cannot be told",
        "flat": "no better than always-yes",
        "bad": "worse",
    }
    counts = Counter(row["kind"] for row in rows)
    return f"{counted(len(rows), 'feature')}: " + ", ".join(
        f"{counts[k]} {said[k]}" for k in ORDER if counts[k]
    )


def _above(scores: FeatureScores) -> tuple[str, str]:
    if scores.three_classes:
        return "part", "Better than always saying yes; it has three answers, so no rate of a yes is given."
    finds, right = (_shown(scores.estimates[name]) for name in ("recall", "precision"))
    if finds and right:
        return "good", "Can be relied on here: most of what is there is found, and most of its yes are right."
    if right:
        return (
            "good",
            "A yes can be relied on here; a no cannot, for it is not shown that enough is found.",
        )
    if finds:
        return (
            "good",
            "Can be relied on to find it here; a yes needs checking, for it is not shown to be right often enough.",
        )
    return (
        "part",
        f"Better than always saying yes, but neither a yes nor a no is shown to be right in {TRUSTED:.0%}.",
    )


def _shown(estimate: Estimate) -> bool:
    return estimate.low is not None and estimate.low >= TRUSTED


def _rates(scores: FeatureScores, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rates with their counts; answers that are not yes or no count as wrong, as in the scores."""
    tp, tn = row["true positive"], row["true negative"]
    negative = scores.n - scores.n_positive
    counts = {
        "recall": (tp, scores.n_positive),
        "specificity": (tn, negative),
        "precision": (tp, tp + negative - tn),
    }
    return [
        {
            "title": title,
            "part": counts[name][0],
            "whole": counts[name][1],
            **interval(scores.estimates[name]),
        }
        for title, name in RATES.items()
    ]
