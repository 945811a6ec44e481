"""Count what a film of 70 s at 60 frames a second takes: windows, opens, decodes, vision runs, prefills, and the time.

``python benchmarks/strokerehab.py [--seconds 70] [--fps 60]`` draws one film and asks the embedded model both
questions on every window. The film must be opened once, and each window be read, encoded and prefilled once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

from semiology.backends.embedded.sees import CHECKPOINT, SHARED_PREFIX_ARGS
from semiology.data.strokerehab.simulate import Look, write_video
from semiology.settings import REHAB_ROOT


def main() -> None:
    """Draw the film, ask, and print the counts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=70.0)
    parser.add_argument("--fps", type=float, default=60.0)
    parser.add_argument("--size", default="544x352")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEMIOLOGY_CACHE"] = f"{folder}/cache"
        root = Path(folder) / "study"
        names = ("idle", "reach", "transport", "stabilize", "transport", "reposition")
        cycle = list(zip(names, (1.2, 1.0, 1.4, 0.8, 1.1, 0.9), strict=True))
        frames = round(arguments.seconds * arguments.fps)
        primitives: list[tuple[str, int]] = []
        while (left := frames - sum(count for _, count in primitives)) > 0:
            name, seconds = cycle[len(primitives) % len(cycle)]
            primitives.append((name, min(left, round(seconds * arguments.fps))))
        look = Look((width, height), arguments.fps, ".mkv")
        write_video(root, "S90001_drinking1_1", "drinking", "right", primitives, look)
        REHAB_ROOT.choose(str(root))
        print(json.dumps(measure(), indent=2))  # noqa: T201


def measure() -> dict[str, object]:
    """Return the counts of asking every window of the chosen study."""
    from semiology.backends.semiology_hf import SemiologyHF
    from semiology.harness.asking import ask_documents
    from semiology.tasks.strokerehab.documents import build_documents
    from semiology.tasks.strokerehab.messages import doc_to_messages, doc_to_text, doc_to_visual
    from semiology.tasks.strokerehab.settings import read_rehab_settings

    rows = build_documents("strokerehab_primitives_3", read_rehab_settings())
    lm = SemiologyHF(str(CHECKPOINT), journal="none", **SHARED_PREFIX_ARGS)
    started = time.perf_counter()
    settings = {"max_new_tokens": 16, "until": [], "do_sample": False, "temperature": 0}
    ask_documents(
        lm, rows, text=doc_to_text, messages=doc_to_messages, visual=doc_to_visual, settings=settings
    )
    counts = lm.counts
    return {
        "windows": len({row["window"] for row in rows}),
        "questions": len(rows),
        "opens": counts.opens,
        "decodes": counts.decodes,
        "vision_runs": counts.vision_runs,
        "prefix_prefills": counts.prefix_prefills,
        "cache_hits": counts.cache_hits,
        "unanswered": counts.unanswered,
        "seconds": round(time.perf_counter() - started, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    main()
