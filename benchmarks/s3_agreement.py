"""Print how far rules agree with the language model behind the published S3 scores.

    python benchmarks/s3_agreement.py FOLDER [PART ...]

FOLDER is the normalized S3 release. ``reports``: the rules, which were written without it, read the released
reports; names and places in these were replaced after the model had read them. ``justifications``: the release
holds neither the justifications of the models nor those of the experts, so the reading of a justification cannot
be measured. What can: the gate (wrong answer: 0; absent and said to be absent: 1), and, as a poor stand-in where
a feature is present and seen, the rules applied to the model's report and the clinical report.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from measuring import CONSOLE, run_parts
from s3_sound_scores import Tables, interpretation_rows
from scipy.stats import spearmanr

from semiology.metrics.agreement.coefficients import cohen_kappa
from semiology.metrics.s3.sequence.measures import sign_f1
from semiology.metrics.s3.text.interpretation_score import interpretation_score, possible_scores
from semiology.metrics.s3.text.justification_rules import READERS, extract_answers
from semiology.metrics.s3.text.report_rules import extract_findings
from semiology.metrics.s3.text.seizure_rqi import LOCATIONS, SECTIONS, ReportFindings, seizure_rqi
from semiology.reports.published.s3 import read_s3_tables, released_findings, true_sequences


def reports(tables: Tables) -> None:
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


def justifications(tables: Tables) -> None:
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
    run_parts(__doc__, {"reports": reports, "justifications": justifications}, read_s3_tables)
