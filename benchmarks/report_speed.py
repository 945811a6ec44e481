"""Time the report: random answers of several models, in the files that lmms-eval writes.

Run: ``python benchmarks/report_speed.py`` (11 models × 20 features × 438 recordings of 116 patients), and for
two million sample rows ``python benchmarks/report_speed.py --wordings 7 --segments 3``. ``--filters`` also
opens the page in Debian's Chromium and times every filter. Reading and tabulating, and the whole report,
are processes of their own; each gives wall and processor seconds and peak memory. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from measuring import CONSOLE, parser

from semiology.features import FEATURES
from semiology.prompts.library import load_library, prompt_hash, render

PATIENTS = 116
SCORES = ("f1", "f1_low", "f1_high", "always_yes_f1", "precision", "recall", "specificity", "accuracy",
          "balanced_accuracy", "mcc", "prevalence", "unparsed_rate")  # fmt: skip
TABULATE = (
    "import sys; from pathlib import Path; from semiology.reports.inputs import report_inputs; "
    "from semiology.reports.summary.features import summarise; "
    "found = report_inputs([Path(sys.argv[1])], None); "
    "summarise(found.features, policy='wrong', resamples=2000, seed=0); print(len(found.features.answers))"
)


def wordings_of(feature: str, count: int) -> list[tuple[str, str, str]]:
    """Return id, hash and text of the first wordings of a feature, the reference first."""
    entry = load_library().feature(feature)
    others = [each for each in entry.prompts if each.id != entry.reference.id]
    texts = [(each.id, render(each)) for each in (entry.reference, *others)][:count]
    return [(prompt, prompt_hash(text), text) for prompt, text in texts]


def sample_lines(
    feature: str, wording: tuple[str, str, str], shape: argparse.Namespace, rng: Any
) -> Iterator[str]:
    """Yield the sample lines of one task, answers right in three of four windows, one in fifty unparsed."""
    prompt, digest, text = wording
    truths = np.random.default_rng(list(FEATURES).index(feature)).random(shape.recordings) < 0.3
    for video in range(shape.recordings):
        truth = "yes" if truths[video] else "no"
        patient = f"P{video % PATIENTS:03}"
        for segment in range(shape.segments):
            draw = rng.random()
            answer = (
                "unparsed" if draw < 0.02 else truth if draw < 0.75 else "no" if truth == "yes" else "yes"
            )
            compact = [feature, f"V{video:04}", patient, segment, answer, truth]
            yield json.dumps(
                {
                    "doc_id": video * shape.segments + segment, "target": truth, "filtered_resps": answer,
                    "token_counts": [{"output_tokens": 2}], "doc_hash": digest,
                    "semiology": {
                        "feature": feature, "enhancement": "none", "prompt_id": prompt, "prompt_hash": digest,
                        "video_id": f"V{video:04}", "patient_id": patient, "segment": segment,
                        "start_s": 25.0 * segment, "end_s": 25.0 * segment + 30, "truth": truth,
                        "answer": answer, "raw": answer, "justification": None,
                    },
                    **dict.fromkeys(SCORES, compact), "input": text,
                }
            )  # fmt: skip


def write_runs(folder: Path, shape: argparse.Namespace) -> int:
    """Write one run folder for each model and place in the list of wordings; return the bytes written."""
    rng, size = np.random.default_rng(1), 0
    for model in range(shape.models):
        for place in range(shape.wordings):
            run = folder / f"model_{model:02}" / f"wording_{place:02}"
            run.mkdir(parents=True)
            stamp = f"20260101_{model:02}{place:02}00"
            for feature in FEATURES:
                wordings = wordings_of(feature, shape.wordings)
                lines = "\n".join(sample_lines(feature, wordings[place], shape, rng)) + "\n"
                (run / f"{stamp}_samples_semiology_{feature}.jsonl").write_text(lines, encoding="utf-8")
                size += len(lines)
            record = {"model_name": f"simulated-{model:02}", "config": {"model": "random"},
                      "lmms_eval_version": "0.7.3", "date": stamp}  # fmt: skip
            (run / f"{stamp}_results.json").write_text(json.dumps(record))
    return size


def timed(command: Sequence[str]) -> dict[str, float]:
    """Run a command to its end; return wall and processor seconds and peak memory, MiB.

    Raises:
        RuntimeError: the command failed.
    """
    start = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # noqa: S603
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(said.decode()[-2000:])
    return {
        "wall_s": round(perf_counter() - start, 1),
        "processor_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_MiB": round(used.ru_maxrss / 1024),
    }


def filter_times(page: Path) -> dict[str, float]:
    """Return the longest time of each kind of control of the page, ms, from the event to the drawn frame."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    script = """async () => {
      const times = {};
      for (const control of document.querySelectorAll('main select, main input')) {
        const kind = control.dataset.filter || control.name || control.id || control.type;
        const values = control.tagName === 'SELECT' ? [...control.options].map(o => o.value) : ['tonic', ''];
        for (const value of values.slice(0, 12)) {
          const start = performance.now();
          control.value = value;
          control.dispatchEvent(new Event('input', {bubbles: true}));
          control.dispatchEvent(new Event('change', {bubbles: true}));
          await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
          times[kind] = Math.max(times[kind] || 0, performance.now() - start);
        }
      }
      return times;
    }"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        opened = browser.new_page()
        opened.goto(page.as_uri())
        opened.wait_for_load_state("load")
        found: dict[str, float] = opened.evaluate(script)
        browser.close()
    return {kind: round(time) for kind, time in found.items()}


def main() -> None:
    """Print the times."""
    options = parser(__doc__)
    for name, default in (("models", 11), ("recordings", 438), ("segments", 1), ("wordings", 1)):
        options.add_argument(f"--{name}", type=int, default=default)
    options.add_argument("--filters", action="store_true", help="time the page's filters in Chromium")
    shape, semiology = options.parse_args(), str(Path(sys.executable).parent / "semiology")
    fewest = min(len(load_library().feature(feature).prompts) for feature in FEATURES)
    if not 1 <= shape.wordings <= fewest:
        options.error(f"--wordings {shape.wordings}: the library has {fewest} of every feature")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        size = write_runs(work / "runs", shape)
        found: dict[str, Any] = {
            "rows": shape.models * len(FEATURES) * shape.recordings * shape.segments * shape.wordings,
            "files_MB": round(size / 1e6),
            "read and tabulated": timed([sys.executable, "-c", TABULATE, str(work / "runs")]),
            "whole report": timed([semiology, "report", str(work / "runs"), "--out", str(work / "out")]),
        }  # fmt: skip
        page = work / "out" / "report.html"
        found["page_MB"] = round(page.stat().st_size / 1e6, 2)
        if shape.filters:
            found["filters_ms"] = filter_times(page)
    CONSOLE.print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
