"""How much a sweep costs beyond the model: processor time of ``semiology sweep`` against that of its model.

Run: ``python benchmarks/sweep_overhead.py``: 20 features × 10 wordings × 60 segments of simulated recordings
(``--segments 6`` for a trial). The embedded model answers through ``semiology_hf``; its time is that of the
calls of ``generate_until``, which read, encode and answer. Loading libraries and weights is shown apart: it
does not grow with the sweep. Prints one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import CONSOLE, Clock, parser

WORDINGS = (
    "s3", "minimal", "clinical_term", "definition", "layperson", "role", "step_by_step_look", "paraphrase",
    "body_part", "duration",
)  # fmt: skip


def measure(data: Path, work: Path) -> dict[str, Any]:
    """Run the sweep in this process and return its times, seconds."""
    from semiology.backends.semiology_hf import SemiologyHF
    from semiology.optimization.sweep import run as sweep_run
    from semiology.optimization.sweep.options import SweepOptions
    from semiology.reports.tables.sweep import write_sweep_files

    model, loading, tables = Clock(), Clock(), Clock()
    SemiologyHF.generate_until = model(SemiologyHF.generate_until)  # type: ignore[method-assign]
    SemiologyHF.__init__ = loading(SemiologyHF.__init__)  # type: ignore[method-assign]
    sweep_run.sweep_summary_of = tables(sweep_run.sweep_summary_of)
    # Imported before the clock starts: libraries load in the same time for any sweep.
    import lmms_eval.__main__  # noqa: F401

    options = SweepOptions("embedded", "", data, work / "out", prompts=WORDINGS)
    with Clock() as whole:
        plan = sweep_run.plan_sweep(options)
        with contextlib.redirect_stdout(sys.stderr):
            summary = sweep_run.run_sweep(options, plan, lambda found: None)
        assert summary is not None
        tables(write_sweep_files)(summary, work / "out" / "report")
    processor = whole.processor - loading.processor
    return {
        "features": len(plan.features),
        "segments": len({(window.video_id, window.segment) for window in plan.windows}),
        "requests": plan.n_requests,
        "processor_s": {
            "model": round(model.processor, 1),
            "tables": round(tables.processor, 1),
            "rest": round(processor - model.processor - tables.processor, 1),
            "loading, not counted": round(loading.processor, 1),
        },
        "wall_s": round(whole.wall - loading.wall, 1),
        "times_the_model": round(processor / model.processor, 3),
    }


def main() -> None:
    """Print the times."""
    from semiology.data.simulated import simulate

    options = parser(__doc__)
    options.add_argument("--segments", type=int, default=60)
    segments = options.parse_args().segments
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        os.environ["SEMIOLOGY_CACHE"] = str(work / "cache")
        # recordings of two segments each: 30 s and what remains of 52 s
        simulate(work / "set", patients=segments // 2, seed=11, recordings_per_patient=1,
                 duration_s=(52.0, 54.0), size=(320, 240), fps=15, workers=1)  # fmt: skip
        CONSOLE.print(json.dumps(measure(work / "set", work), indent=2))


if __name__ == "__main__":
    main()
