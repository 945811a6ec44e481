"""``provenance.json``: what a report was made from, so that it can be made again; no identifier, no path."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pandas as pd

from semiology.reports.read.path_scrubbing import without_paths
from semiology.reports.summary.features import Summary
from semiology.reports.summary.s3 import S3Summary

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
        "software": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "runs": list(runs),
        "statistics": {
            "resamples": summary.resamples if summary else None,
            "seed": summary.seed if summary else None,
            "policy": features.policy if features else None,
        },
    }
    if answers is not None:
        record |= _of_answers(answers)
    if features:
        record["coverage"] = _coverage(features)
    if s3:
        record["s3_coverage"] = _s3_coverage(s3)
    record["caveats"] = [
        *(features.caveats if features else ()),
        *(s3.caveats if s3 else ()),
    ]
    return record


def fingerprint(answers: pd.DataFrame) -> str:
    """Return the SHA-256 of the questions and truths: which recordings, features and annotations were used.

    It depends neither on the order of the rows nor on the models.
    """
    known = answers[["video_id", "patient_id", "feature", "truth"]].drop_duplicates()
    lines = sorted("\t".join(map(str, row)) for row in known.itertuples(index=False, name=None))
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _of_answers(answers: pd.DataFrame) -> dict[str, Any]:
    prompts = answers[answers["prompt_hash"].notna()][["feature", "prompt_id", "prompt_hash"]]
    rows = sorted(set(prompts.drop_duplicates().itertuples(index=False, name=None)))
    return {
        "data_set": {
            "fingerprint": fingerprint(answers),
            "recordings": int(answers["video_id"].nunique()),
            "patients": int(answers["patient_id"].nunique()),
            "answers": len(answers),
        },
        "prompts": [dict(zip(("feature", "id", "sha256"), map(str, row), strict=True)) for row in rows],
    }


def _coverage(features: Summary) -> list[dict[str, Any]]:
    return [
        {
            "model": run.model,
            "prompt": run.prompt,
            "enhancement": run.enhancement,
            "features": len(run.scores.features),
            "recordings": max(run.n_recordings.values(), default=0),
            "patients": max(run.n_patients.values(), default=0),
            "answers": sum(run.n_recordings[each.feature] for each in run.scores.features),
            "unparsed": sum(each.n_unparsed for each in run.scores.features),
            "na": sum(each.n_na for each in run.scores.features),
        }
        for run in features.runs
    ]


def _s3_coverage(s3: S3Summary) -> list[dict[str, Any]]:
    return [
        {
            "task": run.task,
            "model": run.model,
            "prompt": run.prompt,
            "enhancement": run.enhancement,
            "asked": run.counts.asked,
            "answered": run.counts.answered,
            "unparsed": run.counts.unparsed,
            "missing": run.counts.missing,
        }
        for run in s3.runs
    ]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
