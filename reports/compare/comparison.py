"""Two conditions brought onto the same recordings, and what is left out on the way.

Only questions (recording and feature) that both sides were asked are compared; the others are counted and
listed, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from semiology.features import FEATURES
from semiology.metrics.paired.comparison import PairedComparison, compare_pairs
from semiology.metrics.paired.ranking import RankedComparison, compare_ranking
from semiology.metrics.paired.repeat_noise import RepeatNoise
from semiology.metrics.paired.tables import measures_of, paired_tables
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.classification import Policy
from semiology.reports.compare.sides import Condition, Side, SideError, only_condition, refuse_other_set
from semiology.reports.published.baselines import SIMULATED_REASON, other_recordings
from semiology.reports.read.asked import MIXED, asked_differently
from semiology.reports.read.run_facts import RunFacts, caveats

BEST_COVERAGE = 0.9
"""A published model may be the best only if it answered this share of what the fullest one answered."""


@dataclass(frozen=True)
class Options:
    """How to compare; all of it is printed with the result.

    Attributes:
        features: features to compare, in the order wanted.
        policy: ``wrong`` or ``drop`` for answers that are neither yes nor no (``drop``: of either side).
        flips, seed, margin, alpha: as in `paired_comparison.compare_pairs`.
        recordings: the only recordings to look at; None for all.
        any_set: whether runs about recording sets of different names may be compared.
    """

    features: Sequence[str] = FEATURES
    policy: Policy = "wrong"
    flips: int = 10_000
    seed: int = 0
    margin: float = 0.05
    alpha: float = 0.05
    recordings: frozenset[str] | None = None
    any_set: bool = False


@dataclass(frozen=True)
class Unpaired:
    """A recording that one side lacks.

    Attributes:
        video_id: the recording.
        missing: the side without it, ``first`` or ``second``.
        whole: whether the side lacks the recording altogether.
        features: features that the other side answered about it.
    """

    video_id: str
    missing: Literal["first", "second"]
    whole: bool
    features: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Two conditions compared.

    Attributes:
        first, second: names of the sides. Differences are second minus first.
        repeats: how much of the differences asking again can make, where repeats are given.
        result: the numbers. ranking: AUROC of P(yes), where both sides recorded it, else None.
        pairs: the answers compared, columns `paired_tables.PAIR_COLUMNS`.
        n_recordings: recordings compared. n_first, n_second: recordings that each side answered.
        unpaired: recordings that one side lacks, wholly or for some features.
        unusable: answers of each side, among those compared, that are neither yes nor no.
        n_dropped: pairs left out by the policy ``drop``.
        caveats, notes: what a reader must know.
        options: as given.
        asked: whether the sides were asked the same, in sentences; empty beside constant answers.
    """

    first: str
    second: str
    result: PairedComparison
    pairs: pd.DataFrame
    n_recordings: int
    n_first: int
    n_second: int
    unpaired: tuple[Unpaired, ...]
    unusable: tuple[int, int]
    n_dropped: int
    caveats: tuple[str, ...]
    notes: tuple[str, ...]
    options: Options
    asked: tuple[str, ...] = ()
    ranking: RankedComparison | None = None
    repeats: RepeatNoise | None = None


def compare_sides(first: Side, second: Side, options: Options) -> Comparison:
    """Compare what two arguments stand for.

    Raises:
        SideError: a side is not one condition, both are constants, or the runs are about different sets.
        ValueError: nothing was answered by both, or they disagree about a truth or a patient.
    """
    if first.constant and second.constant:
        raise SideError("both sides are constant answers → give at least one run or published model")
    refuse_other_set(first, second, any_set=options.any_set)
    notes = [*first.notes, *second.notes]
    a, b = _chosen(first, second, options, notes), _chosen(second, first, options, notes)
    if a is None or b is None:
        known = a or b
        assert known is not None  # both constant was refused
        text, answer = (first.text, first.constant) if a is None else (second.text, second.constant)
        constant = Condition(text, "", "", known.answers.assign(answer=answer))
        a, b = a or constant, b or constant
    simulated = first.simulated or second.simulated
    if a.published != b.published and simulated and not (first.constant or second.constant):
        raise SideError(f"{SIMULATED_REASON} → compare answers about the same recordings")
    facts = (first.facts, second.facts)
    return compare_conditions(a, b, options, facts=facts, notes=tuple(dict.fromkeys(notes)))


def compare_conditions(
    first: Condition,
    second: Condition,
    options: Options,
    *,
    facts: Sequence[RunFacts] = (),
    notes: tuple[str, ...] = (),
) -> Comparison:
    """Compare two conditions on the questions that both answered.

    Those ``facts`` of the runs that bear on the models and features compared become caveats.

    Raises:
        ValueError: nothing was answered by both, or two runs disagree about a truth or a patient.
    """
    a, b = (selected_answers(side.answers, options) for side in (first, second))
    pairs = a.merge(b, on=["video_id", "feature"], suffixes=("", "_second"), validate="one_to_one")
    if pairs.empty:
        raise ValueError(
            f"{first.label} and {second.label} share no recording: {a['video_id'].nunique()} and "
            f"{b['video_id'].nunique()} recordings, none under the same video_id with the same feature "
            "→ compare answers about the same recordings"
        )
    pairs = pairs.rename(columns={"answer": "first", "answer_second": "second"})
    found = list(notes)
    pairs = _one_truth(pairs, first, second, found)
    unpaired = _unpaired(a, b)
    ranking = _ranking(pairs, first, second, options)
    before = len(pairs)
    three = pairs["feature"].isin(THREE_CLASSES)
    usable = {
        side: pairs[side].isin(["yes", "no"]) | (three & (pairs[side] == "na"))
        for side in ("first", "second")
    }
    unusable = tuple(int((~usable[side]).sum()) for side in ("first", "second"))
    if options.policy == "drop":
        pairs = pairs[usable["first"] & usable["second"]]
    features, models = set(pairs["feature"]), {first.model, second.model}
    limits = [
        text
        for records in facts
        for text in caveats({name: known for name, known in records.items() if name in models}, features)
    ]
    result = compare_pairs(
        pairs,
        options.features,
        flips=options.flips,
        seed=options.seed,
        margin=options.margin,
        alpha=options.alpha,
    )
    return Comparison(
        first=first.label,
        second=second.label,
        result=result,
        pairs=pairs.reset_index(drop=True),
        n_recordings=int(pairs["video_id"].nunique()),
        n_first=int(a["video_id"].nunique()),
        n_second=int(b["video_id"].nunique()),
        unpaired=unpaired,
        unusable=(unusable[0], unusable[1]),
        n_dropped=before - len(pairs),
        caveats=tuple(dict.fromkeys(limits)),
        notes=tuple(found),
        options=options,
        asked=_asked(first, second, features),
        ranking=ranking,
    )


def _ranking(
    pairs: pd.DataFrame, first: Condition, second: Condition, options: Options
) -> RankedComparison | None:
    """Return the comparison of AUROC on the same recordings, if both sides have P(yes)."""
    if first.certainty is None or second.certainty is None:
        return None
    ranked = pairs.loc[~pairs["feature"].isin(THREE_CLASSES), ["video_id", "patient_id", "feature", "truth"]]
    for side, known in (("first", first.certainty), ("second", second.certainty)):
        ranked = ranked.merge(known.rename(columns={"p_yes": side}), on=["video_id", "feature"], how="left")
    return compare_ranking(
        ranked,
        options.features,
        flips=options.flips,
        seed=options.seed,
        margin=options.margin,
        alpha=options.alpha,
    )


def _asked(first: Condition, second: Condition, features: set[str]) -> tuple[str, ...]:
    """Say whether two conditions were sent the same texts about the features compared."""
    if not first.texts or not second.texts:
        return ()
    sides = [{n: t for n, t in each.texts.items() if n in features} for each in (first, second)]
    differing, both = asked_differently(*sides)
    if not differing:
        return ("Both were asked in the same words.",)
    which = "all features" if len(differing) == both else f"{len(differing)} of {both} features"
    mixed = first.model != second.model
    sides_told = f"A: wording {first.prompt}; B: wording {second.prompt}"
    text = f"A and B were asked differently about {which} ({sides_told})"
    return (f"{text}: {MIXED}." if mixed else f"{text}.",)


def _chosen(side: Side, other: Side, options: Options, notes: list[str]) -> Condition | None:
    """Return the condition of a side; None for a constant."""
    if side.constant:
        return None
    if not side.best:
        return only_condition(side)
    asked = other.conditions[0].answers if len(other.conditions) == 1 else None
    return best_condition(side, asked, options, notes)


def best_condition(side: Side, asked: pd.DataFrame | None, options: Options, notes: list[str]) -> Condition:
    """Return the condition of the highest macro balanced accuracy on the questions asked; a note says so.

    Args:
        side: the conditions to choose from.
        asked: answers of the other side, whose questions alone count; None for all questions.
        options: features and recordings to look at.
        notes: a remark is added here.

    Conditions that answered less than `BEST_COVERAGE` of what the fullest answered are passed over, since an
    easier part of the recordings could make them best.

    Raises:
        ValueError: no condition answered a question of the other side.
    """
    questions = None if asked is None else selected_answers(asked, options)[["video_id", "feature"]]
    scored: list[tuple[int, float, Condition]] = []
    for condition in side.conditions:
        rows = selected_answers(condition.answers, options)
        rows = rows if questions is None else rows.merge(questions, on=["video_id", "feature"])
        if len(rows):
            scored.append((len(rows), _macro_balanced_accuracy(rows, options.features), condition))
    if not scored:
        raise ValueError(f"{side.text}: no answer is about a recording of the other side")
    fullest = max(count for count, _, _ in scored)
    full = [item for item in scored if item[0] >= BEST_COVERAGE * fullest]
    value, best = max(((score, c) for _, score, c in full), key=lambda item: np.nan_to_num(item[0], nan=-1))
    others = len(side.conditions) - len(full)
    passed = f"; {others} passed over, which answered less than {BEST_COVERAGE:.0%} of it" if others else ""
    notes.append(
        f"best of {len(full)} published models by macro balanced accuracy on these recordings: {best.model} "
        f"({value:.3f}){passed}. It was chosen on the very recordings it is compared on, which favours it."
    )
    return best


def _macro_balanced_accuracy(rows: pd.DataFrame, features: Sequence[str]) -> float:
    both = rows.rename(columns={"answer": "first"}).assign(second=lambda frame: frame["first"])
    tables = paired_tables(both, [name for name in features if name in set(both["feature"])])
    values = measures_of(tables.first.sum(0), tables.features)["balanced_accuracy"]
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")


def selected_answers(answers: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Return the answers to the features and recordings looked at whose truth can be scored."""
    kept = answers["feature"].isin(options.features) & answers["truth"].isin(["yes", "no", "na"])
    kept &= (answers["truth"] != "na") | answers["feature"].isin(THREE_CLASSES)
    if options.recordings is not None:
        kept &= answers["video_id"].isin(options.recordings)
    return answers[kept]


def _one_truth(pairs: pd.DataFrame, first: Condition, second: Condition, notes: list[str]) -> pd.DataFrame:
    """Return the pairs with one truth and one patient each; published answers yield to a run's."""
    for column, what in (("truth", "truth"), ("patient_id", "patient")):
        other = f"{column}_second"
        unequal = pairs[column] != pairs[other]
        if not bool(unequal.any()):
            continue
        row, count = pairs[unequal].iloc[0], int(unequal.sum())
        if first.published == second.published:
            raise ValueError(
                f"{row['feature']}: recording {row['video_id']} has another {what} on each side, as have "
                f"{count - 1} more answers → were the annotations changed between the runs?"
            )
        reason = (
            other_recordings({}, list(pairs["truth"]), list(pairs["truth_second"])) if what == "truth" else ""
        )
        if reason:
            raise ValueError(f"{reason} → compare answers about the same recordings")
        kept = second if first.published else first
        notes.append(f"{count} published answers carry another {what} → that of {kept.label} is used")
        if first.published:
            pairs = pairs.assign(**{column: pairs[other]})
    return pairs[["video_id", "patient_id", "feature", "truth", "first", "second"]]


def _unpaired(a: pd.DataFrame, b: pd.DataFrame) -> tuple[Unpaired, ...]:
    keys = ["video_id", "feature"]
    outer = a[keys].merge(b[keys], on=keys, how="outer", indicator=True)
    known = {"first": set(a["video_id"]), "second": set(b["video_id"])}
    shared = set(a["feature"]) & set(b["feature"])
    found = []
    sides: tuple[tuple[str, Literal["first", "second"]], ...] = (
        ("right_only", "first"),
        ("left_only", "second"),
    )
    for kind, missing in sides:
        rows = outer[(outer["_merge"] == kind) & outer["feature"].isin(shared)]
        for video, group in rows.groupby("video_id", sort=True):
            features = tuple(name for name in FEATURES if name in set(group["feature"]))
            found.append(Unpaired(str(video), missing, str(video) not in known[missing], features))
    return tuple(found)
