"""From a recording set or a pilot run to the number of patients that a comparison needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semiology.metrics.arrays import Codes
from semiology.metrics.paired.pilot import PilotAnswers, pilot_answers
from semiology.metrics.paired.power import (
    REDRAWS,
    PatientsNeeded,
    PowerAt,
    PowerRange,
    patients_needed,
    power_range,
)
from semiology.metrics.paired.simulation import (
    CORRELATION,
    DISCORDANCE,
    AnswerModel,
    Patients,
    answer_model,
    correctness_correlation,
)
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.statistics.intervals import MIN_POSITIVE_PATIENTS
from semiology.render.text import counted
from semiology.reports.agreement.annotators import read_annotations
from semiology.reports.compare.sides import only_condition, read_side

SENSITIVITY, SPECIFICITY = 0.58, 0.63
"""Medians over the published S3 models and yes/no features, assumed where there is no pilot."""
_KEYS = ["video_id", "patient_id", "feature", "truth"]


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of the models where no pilot tells; None takes it from the pilot or the default."""

    sensitivity: float | None = None
    specificity: float | None = None
    correlation: float | None = None
    discordance: float | None = None


@dataclass(frozen=True)
class Design:
    """The study that is planned.

    Attributes:
        delta: difference of F1 to be seen. power: chance of seeing it. alpha: level of the test.
        tests: features tested together; ``alpha`` is divided by it (Bonferroni).
        studies, seed: of the simulation. redraws: of the pilot's patients, for the range of the promise; 0 for none.
    """

    delta: float = 0.1
    power: float = 0.8
    alpha: float = 0.05
    tests: int = 1
    studies: int = 400
    seed: int = 0
    redraws: int = REDRAWS


@dataclass(frozen=True)
class PowerPlan:
    """Patients needed for one feature.

    Attributes:
        feature: name. design: the study that is planned.
        n_patients, n_recordings, n_positive, n_positive_patients: of the set, for this feature.
        recordings_per_patient: mean.
        model: rates assumed of both sides. sources: where each rate comes from.
        pilot: the joint answers of two pilots that studies are drawn from, instead of the model; else None.
        result: sizes looked at and the number needed.
        reach: how far the power at that number depends on the pilot's patients; None without a pilot.
    """

    feature: str
    design: Design
    n_patients: int
    n_recordings: int
    n_positive: int
    n_positive_patients: int
    recordings_per_patient: float
    model: AnswerModel
    sources: Mapping[str, str]
    result: PatientsNeeded
    pilot: PilotAnswers | None = None
    reach: PowerRange | None = None


def read_truth(source: str) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the truths of a recording set, or of a run with its answers as a pilot.

    Returns:
        Columns video_id, patient_id, feature, truth; and the same with ``answer`` for a run.

    Raises:
        ValueError: the source cannot be read, or is not one condition.
    """
    folder = Path(source)
    if (folder / "recordings.csv").is_file():
        return read_annotations(folder).rename(columns={"present": "truth"})[_KEYS], None
    if folder.is_dir() and not any(folder.rglob("*_samples_*.jsonl")):
        raise ValueError(
            f"{source}: holds neither recordings.csv nor answers (*_samples_*.jsonl) → give a recording set, "
            "or a run's folder as a pilot"
        )
    answers = only_condition(read_side(source)).answers
    return answers[_KEYS], answers


def plan_power(
    truth: pd.DataFrame,
    feature: str,
    design: Design,
    *,
    pilot: pd.DataFrame | None = None,
    second: pd.DataFrame | None = None,
    assumed: Assumptions | None = None,
    on_size: Callable[[PowerAt], None] | None = None,
    on_redraw: Callable[[int], None] | None = None,
) -> PowerPlan:
    """Return how many patients a comparison on one feature needs.

    Args:
        truth: columns video_id, patient_id, feature, truth.
        feature: what is to be compared. design: the study.
        pilot, second: answers of one or two models to these recordings.
        assumed: rates that override those of the pilots.
        on_size: called with each size looked at. on_redraw: with the number of each redrawn pilot.

    Raises:
        ValueError: the feature has three classes, or no recording with or without the feature, or a rate is
            out of range.
    """
    if not 0 < design.alpha < 1:
        raise ValueError(f"the level must lie between 0 and 1 (0.05 is usual), not {design.alpha:g}")
    if design.delta <= 0:
        raise ValueError(f"a difference of {design.delta:g} cannot be planned for → use one above 0")
    if feature in THREE_CLASSES:
        raise ValueError(f"{feature} has three answers → power is planned for yes/no features only")
    assumed = assumed or Assumptions()
    truth = truth[truth["feature"] == feature]
    patients, model, joint, sources = _assumed(truth, feature, design, pilot, second, assumed)
    result = patients_needed(
        patients,
        joint or model,
        power=design.power,
        alpha=design.alpha / design.tests,
        studies=design.studies,
        seed=design.seed,
        feature=feature,
        on_size=on_size,
    )
    reach = None
    if pilot is not None and design.redraws:
        at = result.needed or result.tried[-1].n_patients
        reach = _reach(truth, feature, design, pilot, second, assumed, at, on_redraw)
    positive = patients.positive
    counts = (len(positive), int(positive.sum() + patients.negative.sum()))
    with_feature = (int(positive.sum()), int((positive > 0).sum()))
    return PowerPlan(
        feature,
        design,
        *counts,
        *with_feature,
        patients.recordings_per_patient,
        model,
        sources,
        result,
        joint,
        reach,
    )


def _assumed(
    truth: pd.DataFrame,
    feature: str,
    design: Design,
    pilot: pd.DataFrame | None,
    second: pd.DataFrame | None,
    assumed: Assumptions,
) -> tuple[Patients, AnswerModel, PilotAnswers | None, dict[str, str]]:
    """Return patients, rates, joint answers if both pilots have them, and where each rate comes from."""
    patients = _patients(truth, feature)
    rates, correlation, discordance, sources = _rates(feature, pilot, second, assumed)
    model = answer_model(
        rates, design.delta, patients.prevalence, correlation=correlation, discordance=discordance
    )
    if abs(model.discordance - discordance) >= 0.005:
        sources["discordance"] += f": {discordance:.0%}, which these rates do not allow"
    joint = None
    if pilot is not None and second is not None and all(value is None for value in asdict(assumed).values()):
        joint = _joint(truth, pilot, second, feature, design.delta)
    return patients, model, joint, sources


def _reach(
    truth: pd.DataFrame,
    feature: str,
    design: Design,
    pilot: pd.DataFrame,
    second: pd.DataFrame | None,
    assumed: Assumptions,
    n_patients: int,
    on_redraw: Callable[[int], None] | None,
) -> PowerRange | None:
    """Return the range of the power at a size over pilots whose patients are drawn again."""
    names = sorted(set(truth["patient_id"]))

    def copies(frame: pd.DataFrame, drawn: Codes) -> pd.DataFrame:
        of = frame.groupby("patient_id").indices
        own = [of.get(names[i], np.zeros(0, dtype=np.int64)) for i in drawn]
        copy = pd.Series(np.repeat(np.arange(len(own)), list(map(len, own)))).astype(str)
        part = frame.iloc[np.concatenate(own)].reset_index(drop=True)
        return part.assign(
            **{name: part[name].astype(str) + "#" + copy for name in ("video_id", "patient_id")}
        )

    def redrawn(rng: np.random.Generator) -> tuple[Patients, AnswerModel | PilotAnswers]:
        drawn = rng.integers(0, len(names), len(names))
        own, first = (copies(each[each["feature"] == feature], drawn) for each in (truth, pilot))
        other = None if second is None else copies(second[second["feature"] == feature], drawn)
        patients, model, joint, _ = _assumed(own, feature, design, first, other, assumed)
        return patients, joint or model

    return power_range(
        redrawn,
        n_patients,
        alpha=design.alpha / design.tests,
        redraws=design.redraws,
        seed=design.seed,
        feature=feature,
        on_redraw=on_redraw,
    )


def power_sentence(plan: PowerPlan) -> str:
    """Return the answer in words."""
    sees = (
        f"an F1 difference of {plan.design.delta:g} on {plan.feature} with a power of {plan.design.power:g}"
    )
    largest = plan.result.tried[-1].n_patients
    if plan.result.needed is None:
        return f"To see {sees}, more than {largest:,} patients are needed."
    recordings = round(plan.result.needed * plan.recordings_per_patient)
    here = next((at for at in plan.result.tried if at.n_patients == plan.n_patients), None)
    now = f" The {plan.n_patients} patients of this set give {here.power:.2f}." if here else ""
    # Few patients with the feature are drawn again and again: the set cannot tell how such patients differ.
    sure = "" if plan.n_positive_patients >= MIN_POSITIVE_PATIENTS else "no more than a guess: "
    return (
        f"To see {sees}, about {plan.result.needed:,} patients ({sure}{recordings:,} recordings) are needed."
        f"{now}"
    )


def assumption_lines(plan: PowerPlan) -> list[str]:
    """Return what the number rests on, one plain sentence each."""
    model, design, source = plan.model, plan.design, plan.sources
    level = design.alpha / design.tests
    divided = f", that is {design.alpha:g} divided by {design.tests} tests" if design.tests > 1 else ""
    reach = 1.96 * np.sqrt(design.power * (1 - design.power) / design.studies)
    patients = (
        f"Patients are drawn from the {plan.n_patients} of this set with all their recordings "
        f"({plan.n_recordings}; {plan.n_positive} with the feature, from {plan.n_positive_patients} patients)."
    )
    rates = (
        f"First model: sensitivity {model.first[0]:.2f} ({source['sensitivity']}), specificity "
        f"{model.first[1]:.2f} ({source['specificity']}). Second: {model.second[0]:.2f} and "
        f"{model.second[1]:.2f}, that is fewer errors of both kinds by one factor."
    )
    likeness = (
        f"Right and wrong answers about one patient's recordings correlate by {model.correlation:.2f} "
        f"({source['correlation']}); exactly one model is right about {model.discordance:.0%} of the "
        f"recordings ({source['discordance']})."
    )
    drawn = (
        f"{design.studies} simulated studies for each size, seed {design.seed}: a power is known to about "
        f"±{reach:.2f}. Future patients are taken to be like those of this set."
    )
    if plan.pilot is not None:
        into = "the truth" if plan.pilot.seen < design.delta else "the first model's answer"
        people = len(set(plan.pilot.patient.tolist()))
        rates = (
            f"Answers are the pilots' own, of both models to the same recordings of {people} patients: "
            f"their F1 differs by {plan.pilot.seen:+.3f}, and {plan.pilot.share:.0%} of the second model's "
            f"answers are changed into {into}, so that it differs by {design.delta:g}."
        )
        likeness = (
            "Which recordings are hard, and for which patients, is as in the pilots; other models may differ."
        )
    test = f"Test: patient sign-flip on F1, two-sided, level {level:.3g}{divided}."
    lines = [patients, rates, likeness, test, drawn, _reach_line(plan)]
    if plan.n_positive_patients < MIN_POSITIVE_PATIENTS:
        lines.append(
            f"Recordings with the feature come from only {counted(plan.n_positive_patients, 'patient')} of this "
            "set: they are drawn again and again, and the number is no more than a guess."
        )
    return lines


def _reach_line(plan: PowerPlan) -> str:
    """Return how sure the promise is, as far as the pilot can tell."""
    reach = plan.reach
    if reach is None and "from the pilot" not in plan.sources.values():
        return "No pilot stands behind these rates: how far the promise is off cannot be told."
    if reach is None:
        return "How far the promise depends on the pilot's patients was not looked at."
    failed = (
        f" In {counted(reach.impossible, 'more redrawn pilot')} no such difference could be planned for."
        if reach.impossible
        else ""
    )
    return (
        f"Promise: with other patients in the pilot, the power at {reach.n_patients} patients would have been "
        f"{reach.low:.2f} to {reach.high:.2f} (middle 90 % of {reach.redraws} pilots redrawn by patient).{failed}"
    )


def plan_content(plan: PowerPlan) -> dict[str, Any]:
    """Return the plan, fit for JSON; of the pilots' joint answers it tells sizes and changes, not the answers."""
    pilot = plan.pilot
    told = pilot and {"recordings": len(pilot.truth), "seen": pilot.seen, "share_changed": pilot.share}
    return {
        "format": "semiology power 1",
        **asdict(replace(plan, pilot=None)),
        "pilot": told,
        "answer": power_sentence(plan),
        "assumptions": assumption_lines(plan),
    }


def _rates(
    feature: str, pilot: pd.DataFrame | None, second: pd.DataFrame | None, assumed: Assumptions
) -> tuple[tuple[float, float], float, float, dict[str, str]]:
    values = {
        "sensitivity": SENSITIVITY,
        "specificity": SPECIFICITY,
        "correlation": CORRELATION,
        "discordance": DISCORDANCE,
    }
    sources = dict.fromkeys(values, "median of published models")
    if pilot is not None:
        found = _pilot(pilot, second, feature)
        values |= found
        sources |= dict.fromkeys(found, "from the pilot")
    for name, value in asdict(assumed).items():
        if value is not None:
            values[name], sources[name] = value, "as given"
    rates = (values["sensitivity"], values["specificity"])
    return rates, values["correlation"], values["discordance"], sources


def _pilot(pilot: pd.DataFrame, second: pd.DataFrame | None, feature: str) -> dict[str, float]:
    rows = pilot[(pilot["feature"] == feature) & pilot["truth"].isin(["yes", "no"])]
    right = rows["answer"] == rows["truth"]
    found = {}
    for name, truth in (("sensitivity", "yes"), ("specificity", "no")):
        of_class = right[rows["truth"] == truth]
        # All right or all wrong in a pilot does not mean always: half a recording is added to either side.
        found[name] = float((of_class.sum() + 0.5) / (len(of_class) + 1))
    sums = right.groupby(rows["patient_id"]).agg(["sum", "count"]).to_numpy(dtype=np.float64)
    if len(sums):
        found["correlation"] = correctness_correlation(sums[:, 0], sums[:, 1])
    if second is not None:
        other = second[second["feature"] == feature][["video_id", "answer"]]
        both = rows.merge(other, on="video_id", suffixes=("", "_second"))
        if len(both):
            differs = (both["answer"] == both["truth"]) != (both["answer_second"] == both["truth"])
            found["discordance"] = float(differs.mean())
    return found


def _joint(
    asked: pd.DataFrame, pilot: pd.DataFrame, second: pd.DataFrame, feature: str, delta: float
) -> PilotAnswers | None:
    """Return the joint answers of two pilots, if both answered every recording of the set that is planned with.

    An answer that is neither yes nor no is wrong, as in F1: taken for the opposite of the truth.
    """
    rows = pilot[(pilot["feature"] == feature) & pilot["truth"].isin(["yes", "no"])]
    other = second[second["feature"] == feature][["video_id", "answer"]]
    both = rows.merge(other, on="video_id", suffixes=("", "_second"))
    wanted = asked[(asked["feature"] == feature) & asked["truth"].isin(["yes", "no"])]
    truth = (both["truth"] == "yes").to_numpy(dtype=bool)
    if not truth.any() or truth.all() or set(wanted["video_id"]) != set(both["video_id"]):
        return None
    said = []
    for name in ("answer", "answer_second"):
        right = (both[name] == both["truth"]).to_numpy(dtype=bool)
        said.append(np.where(right, truth, ~truth))
    patient = np.unique(both["patient_id"].astype(str), return_inverse=True)[1].astype(np.int64)
    return pilot_answers(patient, truth, said[0], said[1], delta=delta)


def _patients(truth: pd.DataFrame, feature: str) -> Patients:
    rows = truth[(truth["feature"] == feature) & truth["truth"].isin(["yes", "no"])]
    counts = rows.assign(yes=rows["truth"] == "yes").groupby("patient_id")["yes"].agg(["sum", "count"])
    positive = counts["sum"].to_numpy(dtype=np.int64)
    negative = counts["count"].to_numpy(dtype=np.int64) - positive
    if not positive.sum() or not negative.sum():
        kind = "with" if not positive.sum() else "without"
        raise ValueError(
            f"{feature}: no recording {kind} the feature → choose a feature that varies in this set"
        )
    return Patients(positive, negative)
