from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semiology.reports.read.feature_answers import COLUMNS, Results
from semiology.reports.review.sheet import Sample, draw_sample, write_review

sys.path.insert(0, str(Path(__file__).parent))  # lets tests import `test_server`

MakeResults = Callable[..., Results]
SCRIPT = "<script>document.title='owned'</script><img src=x onerror=alert(1)> =1+1"


def make_results(
    videos: int = 40, features: Sequence[str] = ("tonic", "oral_automatisms"), seed: int = 0
) -> Results:
    """Two models, two segments each; every justification says what it is of."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for model in ("alpha", "beta"):
        for feature in features:
            for video in range(videos):
                truth = "yes" if video % 3 == 0 else "no"
                right = rng.random() < 0.7
                answer = truth if right else ("no" if truth == "yes" else "yes")
                for segment in range(2):
                    said = answer if segment == 0 or answer == "no" else "no"
                    rows.append(
                        dict.fromkeys(COLUMNS)
                        | {
                            "model": model,
                            "enhancement": "none",
                            "prompt_id": "s3",
                            "prompt_hash": "ab" * 32,
                            "video_id": f"v{video:03d}",
                            "patient_id": f"p{video // 2:03d}",
                            "feature": feature,
                            "segment": segment,
                            "start_s": segment * 25.0,
                            "end_s": segment * 25.0 + 30,
                            "answer": said,
                            "truth": truth,
                            "raw": said,
                            "justification": f"{model} {feature} v{video:03d} {segment} {said} {SCRIPT}",
                        }
                    )
    return Results(pd.DataFrame(rows, columns=list(COLUMNS)), (), (), {})


@pytest.fixture
def results() -> MakeResults:
    return make_results


@pytest.fixture
def review_folder(tmp_path: Path) -> tuple[Path, Sample]:
    sample = draw_sample(make_results(), ["tonic", "oral_automatisms"], seed=1)
    folder = tmp_path / "review"
    write_review(sample, folder)
    return folder, sample
