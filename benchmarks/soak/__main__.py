"""Kill commands at random moments, call them again, and hold what they wrote against calls that nobody killed.

    python -m benchmarks.soak [--kills 200] [--seed 0] [--place FOLDER] [--only run,sweep,...]

Each command works on a small simulated set; ``run``, ``sweep`` and ``optimize`` ask a program that answers by rule.
In a round a command is killed up to four times, at moments drawn anew (`killing.PHASES`), and then left alone. Counted
are answers and files that are lost, that stand there twice, and values that differ from the undisturbed ones; after
each kill, files that look whole and are not; and questions that were asked again. Rounds that are done stand in
``FOLDER/rounds.jsonl``: the same command goes on behind them. Every command gets its share of the kills.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks.measuring import print_table
from benchmarks.soak.killing import PHASES, START, WORK, Ended, Kill, call, import_what_it_needs, modules_of
from benchmarks.soak.results import Reference, half_written, left_behind, repeated, written
from semiology.data.simulated import simulate

MOST_IN_A_ROW = 4
SHARE_OF_PHASE = {"start": 0.1, "work": 0.5, "write": 0.4}
GROUP = 8
"""Questions whose answers are kept together: 64 in a real run, which is as many as this set has."""
SAMPLE_FEATURES = "tonic,clonic"
_BACKEND = """
import hashlib, json, os, sys, time
for line in sys.stdin:
    request = json.loads(line)
    time.sleep(0.02)
    asked = f"{request['prompt']}|{request['video'].rsplit('/', 1)[-1]}|{request['start_s']}"
    told = hashlib.sha256(asked.encode()).hexdigest()
    with open(os.environ["SOAK_ASKED"], "a") as stream:
        stream.write(told + chr(10))
    answer = "yes" if int(told, 16) % 2 else "no"
    text = json.dumps({"answer": answer, "justification": "by rule"}) if "JSON" in request["prompt"] else answer
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
"""


@dataclass(frozen=True)
class Job:
    """A command and where it writes."""

    name: str
    words: tuple[str, ...]
    out: Path


class Place:
    """The folder of a soak: its set, a finished run to report on, the cache, what is written, and the rounds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data, self.runs, self.cache = folder / "set", folder / "runs", folder / "work" / "cache"
        self.asked, self.log, self.rounds = folder / "asked.txt", folder / "log.txt", folder / "rounds.jsonl"
        self.work = folder / "work"
        self.environment = {
            **os.environ,
            "SEMIOLOGY_CACHE": str(self.cache),
            "SEMIOLOGY_QUIET": "1",
            "SOAK_ASKED": str(self.asked),
            "OMP_NUM_THREADS": "1",
        }

    def build(self) -> None:
        """Simulate the set, unless an earlier call did."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "backend.py").write_text(_BACKEND)
        if not (self.folder / "built").exists():
            shutil.rmtree(self.data, ignore_errors=True)
            simulate(self.data, patients=12, seed=3, recordings_per_patient=1, size=(160, 120), fps=5,
                     duration_s=(30.0, 34.0), pose=True, workers=1, progress=False)  # fmt: skip
            both_truths(self.data / "annotations.csv")
            (self.folder / "built").touch()

    def afresh(self) -> None:
        """Forget what commands wrote."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.cache.mkdir(parents=True)
        self.asked.write_text("")

    def jobs(self) -> list[Job]:
        """Return the commands."""
        program = f"command={sys.executable} {self.folder / 'backend.py'},in_flight=1"
        model = ("--model", "semiology_jsonl", "--model-args", program)
        out = {name: self.work / name for name in ("run", "sweep", "optimize", "enhance", "report", "review")}
        at = {name: ("--data", str(self.data), "--out", str(path)) for name, path in out.items()}
        tasks = ("--tasks", ",".join(f"semiology_{name}" for name in SAMPLE_FEATURES.split(",")))
        words: dict[str, tuple[str, ...]] = {
            "run": ("run", *model, *at["run"], *tasks, "--answer-format", "yes_no_json"),
            "sweep": ("sweep", *model, *at["sweep"], "--features", "tonic", "--prompts", "s3,minimal", "--yes"),
            "optimize": ("optimize", *model, *at["optimize"], "--features", "tonic", "--budget", "30"),
            "enhance": ("enhance", "run", str(self.data), "--with", "pose", "--out", str(out["enhance"]),
                        "--recording", "P001_V01", "--recording", "P002_V01"),
            "report": ("report", str(self.runs), *at["report"]),
            "review": ("review", "export", str(self.runs), "--out", str(out["review"])),
        }  # fmt: skip
        return [Job(name, each, out[name]) for name, each in words.items()]

    def call(self, job: Job, kill: Kill | None) -> Ended:
        """Carry out a command."""
        return call(job.words, self.environment, self.work, self.log, kill)


def both_truths(table: Path) -> None:
    """Let every other pair of patients show the tonic feature: a search needs both truths in every part."""
    lines, count = [], 0
    for line in table.read_text(encoding="utf-8").splitlines():
        cells = line.split(",")
        if cells[1] == "tonic":
            line, count = ",".join([*cells[:2], ("yes", "no")[count // 2 % 2], "", "", "", ""]), count + 1
        lines.append(line)
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_ready(place: Place, jobs: list[Job]) -> float:
    """Import in this process what the commands import, and make the run to report on; return the seconds of imports."""
    note = place.folder / "modules.json"
    if not (place.folder / "ready").exists():
        loaded: set[str] = set()
        for job in jobs:
            place.afresh()
            loaded |= set(modules_of(job.words, place.environment, note))
            if job.name == "run":
                shutil.rmtree(place.runs, ignore_errors=True)
                shutil.copytree(job.out, place.runs)
                shutil.rmtree(place.runs / "report", ignore_errors=True)
        note.write_text(json.dumps(sorted(loaded)))
        (place.folder / "ready").touch()
    from semiology.privacy.staying_here import stay_here

    stay_here()
    seconds = import_what_it_needs(json.loads(note.read_text()))
    from semiology.harness import asking

    asking.REQUESTS_AT_ONCE = GROUP
    return seconds


@dataclass(frozen=True)
class Undisturbed:
    """What two undisturbed calls of a command took and wrote."""

    reference: Reference
    ended: Ended
    questions: int


def undisturbed(place: Place, job: Job) -> Undisturbed:
    """Call a command twice, each time on an empty folder."""
    results, ended = [], []
    for _ in range(2):
        place.afresh()
        ended.append(place.call(job, None))
        if ended[-1].status not in (0, 1, 3) or not job.out.exists():
            sys.exit(f"{job.name} ended with status {ended[-1].status} undisturbed; see {place.log}")
        results.append(written(job.out))
        time.sleep(1.1)
    questions = len(place.asked.read_text().split())
    return Undisturbed(Reference(*results), ended[-1], questions)


def drawn_kill(draw: random.Random, whole: Ended, imports_s: float) -> Kill:
    """Return a moment to kill a command at."""
    phase = draw.choices(PHASES, [SHARE_OF_PHASE[each] for each in PHASES])[0]
    if phase == START:
        return Kill(phase, after_s=draw.uniform(0.1, imports_s + whole.whole_s))
    if phase == WORK:
        return Kill(phase, after_s=draw.uniform(0.0, whole.whole_s - whole.first_s))
    return Kill(phase, write=draw.randint(1, whole.writes))


def soak_round(
    place: Place, job: Job, known: Undisturbed, draw: random.Random, imports_s: float, most: int
) -> dict[str, Any]:
    """Kill a command up to ``most`` times, let it end, and compare."""
    place.afresh()
    kills: list[str] = []
    half: list[str] = []
    status: int | None = None
    for _ in range(draw.randint(1, min(most, MOST_IN_A_ROW))):
        kill = drawn_kill(draw, known.ended, imports_s)
        status = place.call(job, kill).status
        if status is not None:
            break
        kills.append(kill.phase)
        half += half_written(job.out)
    if status is None:
        status = place.call(job, None).status
    found = written(job.out) if job.out.exists() else {}
    right = known.reference
    asked = Counter(place.asked.read_text().split())
    return {
        "command": job.name,
        "kills": kills,
        "status": status,
        "status_right": status == known.ended.status,
        "lost": right.lost(found)[:20],
        "doubled": right.doubled(found)[:20],
        "unequal": right.unequal(found)[:20],
        "half_written": half,
        "left_behind": left_behind(job.out),
        "repeated": repeated(found),
        "asked_again": sum(asked.values()) - known.questions,
    }


def tables(rounds: list[dict[str, Any]], known: dict[str, Undisturbed]) -> None:
    """Print the counts per command and per phase."""
    columns = [
        "rounds",
        *PHASES,
        "kills",
        "lost",
        "doubled",
        "unequal",
        "other status",
        "half written",
        "left behind",
        "repeated",
        "asked again",
    ]
    counts: dict[str, Counter[str]] = {}
    for each in rounds:
        count = counts.setdefault(each["command"], Counter())
        count["rounds"] += 1
        count["kills"] += len(each["kills"])
        count.update(each["kills"])
        count["other status"] += not each["status_right"]
        count["asked again"] += each["asked_again"]
        for name in ("lost", "doubled", "unequal", "half written", "left behind", "repeated"):
            count[name] += bool(each[name.replace(" ", "_")])
    total = sum(counts.values(), Counter())
    print_table(
        ["command", *columns],
        [[name, *(count[column] for column in columns)] for name, count in {**counts, "all": total}.items()],
    )
    for name, each in known.items():
        loose = each.reference.loose()
        sys.stdout.write(
            f"{name}: {each.reference.values - len(loose)} of {each.reference.values} values compared, "
            f"{each.questions} questions, {each.ended.writes} writes\n"
        )


def main() -> None:
    """Kill and compare, and print the counts."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )  # fmt: skip
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--place", type=Path, help="folder of the soak, to go on in; a temporary one by default"
    )
    parser.add_argument("--only", default="run,sweep,optimize,enhance,report,review")
    chosen = parser.parse_args()
    place = Place(chosen.place.absolute() if chosen.place else Path(mkdtemp()))
    place.build()
    jobs = [job for job in place.jobs() if job.name in {*chosen.only.split(","), "run"}]
    imports_s = make_ready(place, jobs)
    jobs = [job for job in jobs if job.name in chosen.only.split(",")]
    known = {job.name: undisturbed(place, job) for job in jobs}
    for name, each in known.items():
        sys.stderr.write(f"{name}: {each.ended}; loose: {each.reference.loose()[:40]}\n")
    lines = place.rounds.read_text().splitlines() if place.rounds.exists() else []
    rounds = [json.loads(line) for line in lines]
    done = Counter({job.name: 0 for job in jobs})
    for each in rounds:
        done[each["command"]] += len(each["kills"])
    while (killed := sum(done[job.name] for job in jobs)) < chosen.kills:
        job = min(jobs, key=lambda each: done[each.name])
        seed = hashlib.sha256(f"{chosen.seed}|{len(rounds)}".encode()).digest()
        draw = random.Random(seed)  # noqa: S311 - moments, no secrets
        result = soak_round(place, job, known[job.name], draw, imports_s, chosen.kills - killed)
        rounds.append(result)
        done[job.name] += len(result["kills"])
        with place.rounds.open("a") as stream:
            stream.write(json.dumps(result) + "\n")
        bad = {key: result[key] for key in ("lost", "doubled", "unequal", "half_written") if result[key]}
        told = f"{bad or 'equal'}, status {result['status']}, asked again {result['asked_again']}"
        sys.stderr.write(f"{killed + len(result['kills'])} kills, {job.name}, {result['kills']}: {told}\n")
    tables(rounds, known)
    place.afresh()


if __name__ == "__main__":
    main()
