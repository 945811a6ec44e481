"""``provenance.json``: what a report was made from, so that it can be made again; no identifier, no path."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from semiology.reports.read.path_scrubbing import without_paths
from semiology.reports.summary.features import Summary
from semiology.reports.summary.s3 import S3Summary
from semiology.versions import installed_versions

FORMAT = "semiology report provenance 1"
PACKAGES = ("semiology-eval", "lmms-eval", "numpy", "scipy", "pandas", "pyarrow", "matplotlib", "jinja2")


def provenance(
    runs: Sequence[Mapping[str, Any]],
    answers: pd.DataFrame | None,
    features: Summary | None,
    s3: S3Summary | None,
    command: Sequence[str],
) -> dict[str, Any]:
    """Return the record of a report.

    Args:
        runs: of `semiology.reports.read.run_provenance.run_provenances`.
        answers: all answers on features.
        features, s3: what was reported.
        command: the words of the command that made the report.
    """
    summary = features or s3
    record: dict[str, Any] = {
        "format": FORMAT,
        "command": without_paths(" ".join(command)),
        "software": installed_versions(PACKAGES),
        "python": platform.python_version(),
        "runs": list(runs),
        "statistics": {
            "resamples": summary.resamples if summary else None,
            "seed": summary.seed if summary else None,
            "policy": features.policy if features else None,
        },
    }
    if answers is not None:
        prompts = answers[answers["prompt_hash"].notna()][["feature", "prompt_id", "prompt_hash"]]
        rows = sorted(set(prompts.astype(str).itertuples(index=False, name=None)))
        record["data_set"] = {
            "fingerprint": fingerprint(answers),
            "recordings": int(answers["video_id"].nunique()),
            "patients": int(answers["patient_id"].nunique()),
            "answers": len(answers),
        }
        record["prompts"] = [dict(zip(("feature", "id", "sha256"), row, strict=True)) for row in rows]
    if features:
        record["coverage"] = [
            {
                **{name: getattr(run, name) for name in ("model", "prompt", "enhancement")},
                "features": len(run.scores.features),
                "recordings": max(run.n_recordings.values(), default=0),
                "patients": max(run.n_patients.values(), default=0),
                "answers": sum(run.n_recordings[each.feature] for each in run.scores.features),
                "unparsed": sum(each.n_unparsed for each in run.scores.features),
                "na": sum(each.n_na for each in run.scores.features),
            }
            for run in features.runs
        ]
    if s3:
        record["s3_coverage"] = [
            {name: getattr(run, name) for name in ("task", "model", "prompt", "enhancement")}
            | {name: getattr(run.counts, name) for name in ("asked", "answered", "unparsed", "missing")}
            for run in s3.runs
        ]
    record["caveats"] = [text for summary in (features, s3) if summary for text in summary.caveats]
    return record


def fingerprint(answers: pd.DataFrame) -> str:
    """Return the SHA-256 of the questions and truths: which recordings, features and annotations were used.

    It depends neither on the order of the rows nor on the models.
    """
    known = answers[["video_id", "patient_id", "feature", "truth"]].drop_duplicates()
    lines = sorted("\t".join(map(str, row)) for row in known.itertuples(index=False, name=None))
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
