"""Kill commands at random moments, call them again, and hold what they wrote against calls that nobody killed.

    python benchmarks/soak.py [--kills 200] [--seed 0] [--only run,sweep,optimize,enhance,report,review]

Each command runs on a small simulated set; ``run``, ``sweep`` and ``optimize`` ask a program that answers by rule. A
command is killed (SIGKILL, its children too) after a random part of the time that it takes undisturbed, called again
and killed again, up to three times, and then left alone. Counted are answers that are lost, that stand twice in the
results, and results that differ from the undisturbed ones; and after each kill, files that look whole and are not: JSON
that does not parse, a report without its marker whose files are not all there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import print_table

MOST_IN_A_ROW = 3
_BACKEND = """
import hashlib, json, sys, time
for line in sys.stdin:
    request = json.loads(line)
    time.sleep(0.05)
    asked = f"{request['prompt']}|{request['video'].rsplit('/', 1)[-1]}|{request['start_s']}"
    told = hashlib.sha256(asked.encode()).digest()
    print(json.dumps({"id": request["id"], "text": "yes" if told[0] % 2 else "no"}), flush=True)
"""
_TIMES = (
    "date",
    "time",
    "seconds",
    "start",
    "end",
    "created",
    "written",
    "command",
    "path",
    "stamp",
    "run_id",
)


@dataclass(frozen=True)
class Job:
    """A command, where it writes, and what of that must be the same after kills."""

    name: str
    words: tuple[str, ...]
    out: Path
    results: Callable[[Path], object]


def answers(out: Path) -> object:
    """Return the answers of the newest run by task and document; a document that stands twice is told."""
    newest = max(out.rglob("*_results.json"), key=lambda path: path.stat().st_mtime)
    stamp = newest.name.removesuffix("_results.json")
    found: dict[tuple[str, int], object] = {}
    doubled = 0
    for path in sorted(newest.parent.glob(f"{stamp}_samples_*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            sample = json.loads(line)
            key = (path.name.rpartition("_samples_")[2], sample["doc_id"])
            doubled += key in found
            found[key] = sample["filtered_resps"]
    return {"doubled": doubled, "answers": found}


def digests(out: Path) -> object:
    """Return the digests of a folder's tables, which hold no times of day."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.suffix in (".csv", ".md", ".tex", ".wav") and path.is_file()
    }


def wordings(out: Path) -> object:
    """Return what a search chose, without times."""

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items() if not any(word in k.lower() for word in _TIMES)}
        return [plain(each) for each in value] if isinstance(value, list) else value

    return {
        path.relative_to(out).as_posix(): plain(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(out.rglob("lineage.json"))
    }


def half_written(out: Path) -> list[str]:
    """Return the files of a killed command that look whole and are not."""
    faults = []
    for path in out.rglob("*.json") if out.exists() else ():
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            faults.append(path.name)
    provenance, marker = out / "provenance.json", out / "UNFINISHED.txt"
    if provenance.exists() and not marker.exists():
        listed = json.loads(provenance.read_text(encoding="utf-8")).get("files", [])
        faults += [name for name in listed if not (out / name).exists()]
    return faults


def call(words: tuple[str, ...], environment: dict[str, str], after_s: float | None) -> int | None:
    """Run a command; return its status, or None where it was killed after so many seconds."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "semiology.cli", *words], env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        return process.wait(after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def both_truths(table: Path) -> None:
    """Let every other pair of patients show the tonic feature: a search needs both truths in every part."""
    lines, count = [], 0
    for line in table.read_text(encoding="utf-8").splitlines():
        cells = line.split(",")
        if cells[1] == "tonic":
            line, count = ",".join([*cells[:2], ("yes", "no")[count // 2 % 2], "", "", "", ""]), count + 1
        lines.append(line)
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")


def jobs(folder: Path, data: Path, runs: Path, tag: str) -> list[Job]:
    """Return the commands, writing under ``folder``; ``runs`` holds a finished run for report and review."""
    backend = folder.parent / "backend.py"
    model = ("--model", "semiology_jsonl", "--model-args", f"command={sys.executable} {backend},in_flight=1")
    out = {
        name: folder / f"{name}-{tag}" for name in ("run", "sweep", "optimize", "enhance", "report", "review")
    }
    at = {name: ("--data", str(data), "--out", str(path)) for name, path in out.items()}
    return [
        Job("run", ("run", *model, *at["run"], "--tasks", "semiology_tonic,semiology_clonic"), out["run"], answers),
        Job("sweep", ("sweep", *model, *at["sweep"], "--features", "tonic", "--prompts", "s3,minimal", "--yes"),
            out["sweep"], answers),
        Job("optimize", ("optimize", *model, *at["optimize"], "--features", "tonic", "--budget", "30"),
            out["optimize"], wordings),
        Job("enhance", ("enhance", "run", str(data), "--with", "denoise", "--out", str(out["enhance"])),
            out["enhance"], digests),
        Job("report", ("report", str(runs), *at["report"]), out["report"], digests),
        Job("review", ("review", "export", str(runs), "--out", str(out["review"]), "--features", "tonic"),
            out["review"], digests),
    ]  # fmt: skip


def main() -> None:
    """Kill and compare, and print the counts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so many minutes")
    parser.add_argument("--only", default="run,sweep,optimize,enhance,report,review")
    chosen = parser.parse_args()
    draw, began = random.Random(chosen.seed), time.monotonic()  # noqa: S311 - moments, no secrets
    counts: dict[str, Counter[str]] = {}
    with TemporaryDirectory() as place:
        folder = Path(place) / "out"
        folder.mkdir()
        (folder.parent / "backend.py").write_text(_BACKEND)
        data, runs = folder.parent / "set", folder.parent / "runs"
        environment = {**os.environ, "SEMIOLOGY_CACHE": str(folder.parent / "cache"), "SEMIOLOGY_QUIET": "1"}
        simulate = (
            "data",
            "simulate",
            str(data),
            "--patients",
            "12",
            "--recordings",
            "1",
            "--size",
            "160x120",
            "--fps",
            "10",
        )
        if call(simulate, environment, None):
            sys.exit("the set could not be simulated")
        both_truths(data / "annotations.csv")
        whole = jobs(folder, data, runs, "whole")
        call((*whole[0].words[:-3], str(runs), *whole[0].words[-2:]), environment, None)
        wanted: dict[str, tuple[float, object]] = {}
        for job in whole:
            if job.name in chosen.only.split(","):
                start = time.monotonic()
                status = call(job.words, environment, None)
                if status not in (0, 1, 2, 3) or not job.out.exists():
                    sys.exit(f"{job.name} ended with status {status} undisturbed")
                wanted[job.name] = time.monotonic() - start, job.results(job.out)
        killed = 0
        while killed < chosen.kills and time.monotonic() - began < 60 * chosen.minutes:
            for job in jobs(folder, data, runs, str(killed)):
                if job.name not in wanted or killed >= chosen.kills:
                    continue
                length_s, right = wanted[job.name]
                count = counts.setdefault(job.name, Counter())
                shutil.rmtree(folder.parent / "cache" / "enhanced", ignore_errors=True)
                for _ in range(draw.randint(1, MOST_IN_A_ROW)):
                    if call(job.words, environment, draw.uniform(0.3, 1.05) * length_s) is not None:
                        break
                    killed += 1
                    count["kills"] += 1
                    count["half written"] += len(half_written(job.out))
                else:
                    call(job.words, environment, None)
                found = job.results(job.out)
                count["finished"] += 1
                count["equal"] += found == right
                if job.results is answers and isinstance(found, dict) and isinstance(right, dict):
                    count["lost"] += len(set(right["answers"]) - set(found["answers"]))
                    count["doubled"] += found["doubled"]
                shutil.rmtree(job.out, ignore_errors=True)
                sys.stderr.write(
                    f"{killed} kills, {job.name}: {'equal' if found == right else 'NOT EQUAL'}\n"
                )
        columns = ["kills", "finished", "equal", "lost", "doubled", "half written"]
        total = sum(counts.values(), Counter())
        print_table(
            ["command", *columns],
            [[n, *(c[k] for k in columns)] for n, c in {**counts, "all": total}.items()],
        )


if __name__ == "__main__":
    main()
