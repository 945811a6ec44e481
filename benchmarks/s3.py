"""Print the published S3 numbers of tasks 2-7 beside sound ones, and how far rules agree with the published judge.

    python benchmarks/s3.py FOLDER [PART ...]

FOLDER is the normalized S3 release. These are the tables of docs/suites/s3_metrics.md: estimates with trivial baselines
and patient intervals, then two comparisons with the language model behind the published scores. ``report_rules``: the
rules, which were written without it, read the released reports; names and places in these were replaced after the
model had read them. ``justification_rules``: the release holds neither the justifications of the models nor those of
the experts, so the reading of a justification cannot be measured. What can: the gate (wrong answer: 0; absent and
said to be absent: 1), and, as a poor stand-in where a feature is present and seen, the rules applied to the model's
report and the clinical report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from measuring import CONSOLE, run_parts
from scipy.stats import spearmanr

from semiology.features import REGIONS, VISUAL_FEATURES
from semiology.metrics.agreement.coefficients import cohen_kappa
from semiology.metrics.published_rules import published_diagnosis
from semiology.metrics.s3.categorical import DIAGNOSES, DIAGNOSIS, REGION, SIDE, SIDES, score_classes
from semiology.metrics.s3.onset_time import score_onset_times
from semiology.metrics.s3.sequence.measures import published_tokens, sign_f1
from semiology.metrics.s3.sequence.scores import score_sequences
from semiology.metrics.s3.text.interpretation_score import (
    interpretation_estimates,
    interpretation_score,
    possible_scores,
)
from semiology.metrics.s3.text.justification_rules import READERS, extract_answers
from semiology.metrics.s3.text.report_rules import extract_findings
from semiology.metrics.s3.text.report_scores import score_reports
from semiology.metrics.s3.text.seizure_rqi import LOCATIONS, SECTIONS, ReportFindings, seizure_rqi
from semiology.metrics.statistics.bootstrap import TaskScores
from semiology.reports.published.s3 import read_s3_tables, released_findings, true_sequences
from semiology.tasks.s3.answers.times import seconds_of

Tables = Mapping[str, pd.DataFrame]
RESAMPLES = 1000


def sides(tables: Tables) -> None:
    """Task 3: sides."""
    for item, column in (("head_turning", "head_turning_side"), ("arm_movement", "arm_movement_side")):
        truth = tables["laterality"].assign(truth=tables["laterality"][column].str.strip())
        truth = truth[truth["truth"].isin(SIDES)][["video_id", "truth"]]
        for model, rows in tables["task3"].groupby("model"):
            scores = score_classes(joined(tables, rows[rows["item"] == item], truth, "answer", SIDES), SIDE)
            show(f"{item} {model}", scores, ("f1", "accuracy", "macro_f1", "balanced_accuracy", "mcc"))
        baselines(
            scores, ("always_right_f1", "always_left_f1", "best_constant_accuracy", "best_constant_macro_f1")
        )


def regions(tables: Tables) -> None:
    """Task 3: onset regions."""
    truth = tables["laterality"].assign(truth=tables["laterality"]["onset_region"])
    truth = truth[truth["truth"].isin(REGIONS)][["video_id", "truth"]]
    for model, rows in tables["task3"].groupby("model"):
        scores = score_classes(
            joined(tables, rows[rows["item"] == "onset_region"], truth, "answer", REGIONS), REGION
        )
        show(str(model), scores, ("accuracy", "macro_f1", "mcc"))
    baselines(scores, ("best_constant_accuracy", "best_constant_macro_f1"))


def interpretations(tables: Tables) -> None:
    """Task 2: mean over the visual features of score, score_where_present, score_where_seen, always-no."""
    rows = interpretation_rows(tables).merge(tables["videos"][["video_id", "patient_id"]], on="video_id")
    columns = ("score", "score_where_present", "score_where_seen")
    for model, part in rows.groupby("model"):
        features = [one for _, one in part[part["answer"].notna()].groupby("feature")]
        summaries = [interpretation_estimates(one, one["score"], "score", resamples=2) for one in features]
        means = [np.nanmean([each[name].value for each in summaries]) for name in columns]
        always_no = np.mean([(one["truth"] == "no").mean() for one in features])
        values = " | ".join(f"{mean:.2f}" for mean in [*means, always_no])
        CONSOLE.print(f"| {model} | {len(summaries)} features | {values} |")


def interpretation_rows(tables: Tables) -> pd.DataFrame:
    """Return model, video_id, feature, answer, truth and published score of the visual features, whole scope."""
    truth = tables["annotations"].rename(columns={"present": "truth"})[["video_id", "feature", "truth"]]
    answers = tables["task1_video"].melt(["model", "video_id"], var_name="feature", value_name="answer")
    keys = ["model", "scope", "video_id"]
    scored = tables["task2_scores"].melt(keys, var_name="feature", value_name="score")
    scored = scored[(scored["scope"] == "whole") & (scored["score"] != "")].astype({"score": float})
    rows = scored.merge(answers, on=["model", "video_id", "feature"]).merge(truth, on=["video_id", "feature"])
    return rows[rows["feature"].isin(VISUAL_FEATURES)]


def onset_times(tables: Tables) -> None:
    """Task 4: start, end and two features."""
    for feature in ("start", "end", "head_turning", "clonic"):
        target = tables["task4_targets"]
        target = target[target["feature"] == feature].astype({"target_s": float})[["video_id", "target_s"]]
        for model, rows in tables["task4"].groupby("model"):
            given = rows[rows["feature"] == feature][["video_id", "timestamp"]]
            frame = target.merge(given, how="left").merge(tables["videos"][["video_id", "patient_id"]])
            # A row without a time was asked and gave none: not understood. No row at all: missing.
            frame["answered"] = frame["timestamp"].notna()
            frame["answer_s"] = [seconds_of(str(text)) for text in frame["timestamp"]]
            frame["answer_s"] = frame["answer_s"].astype(float)
            scores = score_onset_times(frame.drop(columns="timestamp"), resamples=RESAMPLES)
            show(f"{feature} {model}", scores, ("mae", "charged_mae", "hit_1s", "hit_2s", "hit_5s"))
        baselines(scores, ("middle_mae", "middle_hit_1s", "best_constant_mae", "random_mae"))


def sequences(tables: Tables) -> None:
    """Task 5: sequences, ties from the annotated onsets."""
    present = tables["annotations"][tables["annotations"]["present"] == "yes"]
    onsets: dict[str, dict[str, float]] = {}
    for video, feature, time in zip(present["video_id"], present["feature"], present["onset_s"], strict=True):
        if time:
            onsets.setdefault(video, {})[feature] = float(time)
    for model, rows in tables["task5"].groupby("model"):
        truth = true_sequences(tables, str(model))
        answer = dict(zip(rows["video_id"], rows["sequence"].map(published_tokens), strict=True))
        frame = tables["videos"][tables["videos"]["video_id"].isin(truth)][["video_id", "patient_id"]].copy()
        frame["truth"] = frame["video_id"].map(truth)
        frame["answer"] = [answer.get(video) for video in frame["video_id"]]
        frame["onsets"] = [timed(truth[v], onsets.get(v, {})) for v in frame["video_id"]]
        scores = score_sequences(frame, resamples=RESAMPLES)
        names = ("edit_distance", "normalised_edit_distance", "lcs_ratio", "lcs_f1", "position_share")
        show(str(model), scores, (*names, "sign_f1", "relation_f1", "order_accuracy"))
        CONSOLE.print(
            f"random order of the same features: {scores.baselines['random_order_relation_f1']:.2f}"
        )
    for kind in ("empty", "typical", "every_sign"):
        shown = (*names, "sign_f1", "relation_f1", "order_accuracy")
        baselines(scores, tuple(f"{kind}_{name}" for name in shown))


def timed(features: list[str], known: Mapping[str, float]) -> dict[str, float]:
    """Return onsets in seconds where each feature has one, else places in the sequence."""
    if all(feature in known for feature in features):
        return {feature: known[feature] for feature in features}
    return {feature: float(place) for place, feature in enumerate(features)}


def reports(tables: Tables) -> None:
    """Task 6: reports, from the released components."""
    truth = {row["video_id"]: released_findings(row) for row in tables["reports"].to_dict("records")}
    shown = true_sequences(tables, "omni")
    for model, rows in tables["task6"].groupby("model"):
        given = {row["video_id"]: released_findings(row) for row in rows.to_dict("records")}
        frame = tables["videos"][["video_id", "patient_id"]].copy()
        frame["report"] = [given.get(video) for video in frame["video_id"]]
        frame["reference"] = [truth[video] for video in frame["video_id"]]
        frame["shown"] = [shown.get(video) for video in frame["video_id"]]
        scores = score_reports(frame, resamples=RESAMPLES)
        show(str(model), scores, ("rqi", "rqi_coverage", "rqi_locations", "rqi_order", "stated_findings"))
        baselines(scores, ("empty_rqi", "other_rqi", "empty_stated_findings", "other_stated_findings"))


def diagnoses(tables: Tables) -> None:
    """Task 7: ES against NES."""
    truth = tables["videos"].rename(columns={"diagnosis": "truth"})[["video_id", "truth"]]
    truth = truth[truth["truth"].isin(DIAGNOSES)]
    for item in ("without_report", "with_report"):
        for model, rows in tables["task7"].groupby("model"):
            read = rows.assign(answer=rows[item].map(lambda text: published_diagnosis(text) or "unparsed"))
            scores = score_classes(
                joined(tables, read, truth, "answer", DIAGNOSES), DIAGNOSIS, resamples=RESAMPLES
            )
            show(f"{item} {model}", scores, ("f1", "accuracy", "balanced_accuracy", "mcc"))
        baselines(scores, ("always_ES_f1", "best_constant_accuracy"))


def joined(
    tables: Tables, rows: pd.DataFrame, truth: pd.DataFrame, column: str, classes: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row per recording with a truth; answers outside the classes become unparsed."""
    frame = truth.merge(rows[["video_id", column]].rename(columns={column: "answer"}), how="left")
    given = frame["answer"].fillna("").str.strip()
    frame["answer"] = given.where(given.isin(classes) | (given == ""), "unparsed")
    return frame.merge(tables["videos"][["video_id", "patient_id"]], on="video_id")


def show(label: str, scores: TaskScores, names: tuple[str, ...]) -> None:
    """Print one row of estimates with counts."""
    c = scores.counts
    cells = []
    for name in names:
        found = scores.estimates[name]
        interval = "(not estimable)" if found.low is None else f"[{found.low:.2f}, {found.high:.2f}]"
        cells.append(f"{name} {found.value:.2f} {interval}")
    values = " | ".join(cells)
    CONSOLE.print(
        f"| {label} | {values} | {c.answered}/{c.asked}, unparsed {c.unparsed}, missing {c.missing} |"
    )


def baselines(scores: TaskScores, names: tuple[str, ...]) -> None:
    """Print the named baselines."""
    CONSOLE.print("baselines: " + ", ".join(f"{name} {scores.baselines[name]:.2f}" for name in names))


def report_rules(tables: Tables) -> None:
    """Print the agreement on clinical and on generated reports, and of the resulting index."""
    for name in ("reports", "task6"):
        rows = tables[name].to_dict("records")
        pairs = [(extract_findings(row["report"]), released_findings(row)) for row in rows]
        CONSOLE.print(f"\n{name}: {len(pairs)} texts")
        for label, value in component_agreement(pairs).items():
            CONSOLE.print(f"  {label}: {value}")
    released = {row["video_id"]: released_findings(row) for row in tables["reports"].to_dict("records")}
    texts = dict(zip(tables["reports"]["video_id"], tables["reports"]["report"], strict=True))
    read = {video: extract_findings(text) for video, text in texts.items()}
    shown = true_sequences(tables, "omni")
    judged, ruled = [], []
    for model, generated in tables["task6"].groupby("model"):
        a, b = [], []
        for row in generated.to_dict("records"):
            video = row["video_id"]
            a.append(seizure_rqi(released_findings(row), released[video], shown.get(video)).value)
            b.append(seizure_rqi(extract_findings(row["report"]), read[video], shown.get(video)).value)
        CONSOLE.print(f"{model}: RQI {np.mean(a):.2f} judged, {np.mean(b):.2f} by rules")
        judged, ruled = [*judged, *a], [*ruled, *b]
    CONSOLE.print(f"Spearman over {len(judged)} reports: {spearmanr(judged, ruled).statistic:.2f}")


def component_agreement(pairs: list[tuple[ReportFindings, ReportFindings]]) -> dict[str, str]:
    """Return agreement and kappa of each yes/no finding and location, and the F1 of the features."""

    def kappa(values: Iterable[tuple[object, object]]) -> str:
        first, second = (list(map(str, side)) for side in zip(*values, strict=True))
        share = np.mean([a == b for a, b in zip(first, second, strict=True)])
        return f"agreement {share:.2f}, kappa {cohen_kappa(first, second):.2f}"

    found = {
        f"section {name}": kappa((name in a.sections, name in b.sections) for a, b in pairs)
        for name in SECTIONS
    }
    found |= {name: kappa((a.locations[name], b.locations[name]) for a, b in pairs) for name in LOCATIONS}
    found["off_topic"] = kappa((a.off_topic, b.off_topic) for a, b in pairs)
    found["hazardous"] = kappa((a.hazardous, b.hazardous) for a, b in pairs)
    both = [(set(a.features), set(b.features)) for a, b in pairs]
    shared = sum(len(a & b) for a, b in both)
    named, wanted = sum(len(a) for a, _ in both), sum(len(b) for _, b in both)
    mean = np.mean([sign_f1([*a], [*b]) for a, b in both])
    found["features"] = (
        f"precision {shared / named:.2f}, recall {shared / wanted:.2f}, mean F1 per text {mean:.2f}"
    )
    return found


def justification_rules(tables: Tables) -> None:
    """Print agreement by kind of recording, and the features whose scores the question list cannot give."""
    rows = interpretation_rows(tables)
    for truth, answer in (("no", "no"), ("no", "yes"), ("yes", "no"), ("yes", "yes")):
        part = rows[(rows["truth"] == truth) & (rows["answer"] == answer)]
        gate = 1.0 if truth == answer else 0.0
        exact = (part["score"].round(3) == gate).mean()
        CONSOLE.print(f"truth {truth}, answer {answer}: {len(part)} scores, {exact:.4f} are {gate:.0f}")
    stand_in(tables)
    for feature, part in rows.groupby("feature"):
        grid = np.array(possible_scores(len(READERS[str(feature)])))
        away = np.abs(part["score"].to_numpy()[:, None] - grid).min(1) > 1e-6
        if away.any():
            values = sorted(set(part["score"][away].round(3)))
            CONSOLE.print(
                f"{feature}: {away.sum()} of {len(part)} scores off the grid {grid.round(3)}: {values}"
            )


def stand_in(tables: Tables) -> None:
    """Print the agreement of scores read from reports, which are not the texts that were judged."""
    rows = interpretation_rows(tables)
    texts = tables["task6"].set_index(["model", "video_id"])["report"].to_dict()
    clinical = tables["reports"].set_index("video_id")["report"].to_dict()
    scores = []
    for row in rows[(rows["truth"] == "yes") & (rows["answer"] == "yes")].itertuples():
        if (row.model, row.video_id) in texts:
            given = extract_answers(row.feature, texts[row.model, row.video_id])
            reference = extract_answers(row.feature, clinical[row.video_id])
            scores.append((row.score, interpretation_score("yes", "yes", given, reference)))
    judged, ruled = np.array(scores).T
    difference = np.abs(judged - ruled)
    constant = np.abs(judged - np.median(judged))
    CONSOLE.print(
        f"present and seen, rules on reports: {len(judged)} scores, mean absolute difference "
        f"{difference.mean():.2f} (always the median score: {constant.mean():.2f}), within 0.15 "
        f"{(difference <= 0.15).mean():.2f}, correlation {np.corrcoef(judged, ruled)[0, 1]:.2f}"
    )


if __name__ == "__main__":
    every = (
        sides, regions, interpretations, onset_times, sequences, reports, diagnoses,
        report_rules, justification_rules,
    )  # fmt: skip
    run_parts(__doc__, {part.__name__: part for part in every}, read_s3_tables)
