"""Print how far rules agree with the language model that read the published S3 reports.

Usage: ``python benchmarks/report_extraction_agreement.py FOLDER`` (the normalised S3 release). The
rules were written without it. Names and places in the released texts were replaced after the model read them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from scipy.stats import spearmanr

from semiology.metrics.agreement.coefficients import cohen_kappa
from semiology.metrics.s3.sequence.measures import sign_f1
from semiology.metrics.s3.text.report_rules import extract_findings
from semiology.metrics.s3.text.seizure_rqi import LOCATIONS, SECTIONS, ReportFindings, seizure_rqi
from semiology.reports.published.s3 import read_s3_tables, released_findings, true_sequences

CONSOLE = Console(width=400, markup=False, highlight=False)
Pair = tuple[ReportFindings, ReportFindings]


def main() -> int:
    """Print the agreement on clinical and on generated reports, and of the resulting index."""
    tables = read_s3_tables(Path(sys.argv[1]))
    for name in ("reports", "task6"):
        rows = tables[name].to_dict("records")
        pairs = [(extract_findings(row["report"]), released_findings(row)) for row in rows]
        CONSOLE.print(f"\n{name}: {len(pairs)} texts")
        for label, value in component_agreement(pairs).items():
            CONSOLE.print(f"  {label}: {value}")
    index_agreement(tables)
    return 0


def component_agreement(pairs: list[Pair]) -> dict[str, str]:
    """Return agreement and kappa of each yes/no finding and location, and the F1 of the features."""
    found = {
        f"section {name}": _kappa((name in a.sections, name in b.sections) for a, b in pairs)
        for name in SECTIONS
    }
    for name in LOCATIONS:
        found[name] = _kappa((a.locations[name], b.locations[name]) for a, b in pairs)
    found["off_topic"] = _kappa((a.off_topic, b.off_topic) for a, b in pairs)
    found["hazardous"] = _kappa((a.hazardous, b.hazardous) for a, b in pairs)
    both = [(set(a.features), set(b.features)) for a, b in pairs]
    shared = sum(len(a & b) for a, b in both)
    named, wanted = sum(len(a) for a, _ in both), sum(len(b) for _, b in both)
    mean = np.mean([sign_f1([*a], [*b]) for a, b in both])
    found["signs"] = (
        f"precision {shared / named:.2f}, recall {shared / wanted:.2f}, mean F1 per text {mean:.2f}"
    )
    return found


def index_agreement(tables: dict[str, pd.DataFrame]) -> None:
    """Print published and rule-read Seizure-RQI per model, and their rank correlation over reports."""
    released = {row["video_id"]: released_findings(row) for row in tables["reports"].to_dict("records")}
    texts = dict(zip(tables["reports"]["video_id"], tables["reports"]["report"], strict=True))
    read = {video: extract_findings(text) for video, text in texts.items()}
    shown = true_sequences(tables, "omni")
    judged, ruled = [], []
    for model, rows in tables["task6"].groupby("model"):
        a, b = [], []
        for row in rows.to_dict("records"):
            video = row["video_id"]
            a.append(seizure_rqi(released_findings(row), released[video], shown.get(video)).value)
            b.append(seizure_rqi(extract_findings(row["report"]), read[video], shown.get(video)).value)
        CONSOLE.print(f"{model}: RQI {np.mean(a):.2f} judged, {np.mean(b):.2f} by rules")
        judged, ruled = [*judged, *a], [*ruled, *b]
    CONSOLE.print(f"Spearman over {len(judged)} reports: {spearmanr(judged, ruled).statistic:.2f}")


def _kappa(pairs: Iterable[tuple[object, object]]) -> str:
    rows = list(pairs)
    first, second = [str(a) for a, _ in rows], [str(b) for _, b in rows]
    share = sum(a == b for a, b in zip(first, second, strict=True)) / len(rows)
    return f"agreement {share:.2f}, kappa {cohen_kappa(first, second):.2f}"


if __name__ == "__main__":
    sys.exit(main())
