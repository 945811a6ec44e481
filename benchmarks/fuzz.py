"""Feed broken replies to the parsers and broken sets to the readers, and count what ends in a traceback.

    python benchmarks/fuzz.py [--replies 100000] [--sets 500] [--seed 0]

Replies are those of the table of hard replies (tests/tasks/hard_replies.yaml), cut, joined, repeated and mixed with
tags, half characters and noise; each goes through the parser of yes and no and those of the S3 tasks. A set is a small
simulated one of which a table or ``dataset.yaml`` is damaged: bytes lost, doubled, turned, lines exchanged, encodings
broken. It is read as every command reads it; `RecordingSetError` is the one way in which that may fail. Told are
tracebacks, the longest time, and how many damaged sets were refused, read with the same content, and read with another:
other free text, names or order (the file says so), rows missing (a file cut in or after the last cell of a row), other
answers or times.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from measuring import print_table
from rich.progress import track

from semiology.data.problems import RecordingSetError
from semiology.data.recording_set import RecordingSet
from semiology.data.simulated import simulate
from semiology.data.tables.reading import read_recording_set
from semiology.tasks.answers.parse import parse_answer
from semiology.tasks.s3.answers.fields import parse_report
from semiology.tasks.s3.answers.labels import parse_diagnosis, parse_region, parse_side
from semiology.tasks.s3.answers.sequences import parse_sequence
from semiology.tasks.s3.answers.times import parse_timestamp

HARD = Path(__file__).resolve().parents[1] / "tests" / "tasks" / "hard_replies.yaml"
PIECES = (
    "<think>", "</think>", "<|channel|>final<|message|>", "```json", "```", "{", "}", '"answer":', "\\boxed{", "yes",
    "no", "NA", "\ud800", "\udc00", "\x00", "\u202e", "ٱ", "是", "いいえ",
    "[ANSWER]", "[/ANSWER]", "|", "**", "\n\n", "not ", "1e400",
)  # fmt: skip


def replies() -> list[str]:
    """Return the texts of the table of hard replies, whatever its layout."""
    found: list[str] = []

    def collect(part: object) -> None:
        if isinstance(part, str):
            found.append(part)
        for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            collect(each)

    collect(yaml.safe_load(HARD.read_text(encoding="utf-8")))
    return found


def broken_reply(known: list[str], draw: random.Random) -> str:
    """Return a reply made of pieces of others."""
    text = draw.choice(known)
    for _ in range(draw.randint(1, 6)):
        at = draw.randint(0, len(text))
        kind = draw.randint(0, 5)
        if kind == 0:
            text = text[:at]
        elif kind == 1:
            text = text[at:]
        elif kind == 2:
            text = text[:at] + draw.choice(PIECES) * draw.choice((1, 1, 1, 2, 50)) + text[at:]
        elif kind == 3:
            text += draw.choice(known)
        elif kind == 4:
            text = text[:at] + "".join(chr(draw.randint(1, 0x2FFF)) for _ in range(8)) + text[at:]
        else:
            text = text[:at] + text[at : at + 20] * draw.choice((2, 30)) + text[at + 20 :]
    return text[:20_000]


def parsers() -> dict[str, Callable[[str], object]]:
    """Return what reads replies, by name."""
    found: dict[str, Callable[[str], object]] = {"yes and no": parse_answer}
    for parser in (parse_report, parse_side, parse_region, parse_diagnosis, parse_sequence, parse_timestamp):
        found[parser.__name__] = parser
    return found


def damage_text(content: bytes, draw: random.Random) -> bytes:
    """Return a table or YAML file damaged once to thrice."""
    for _ in range(draw.randint(1, 3)):
        at, size, kind = draw.randint(0, len(content)), draw.choice((1, 4, 40)), draw.randint(0, 7)
        if kind == 0:
            content = content[:at] + content[at + size :]
        elif kind == 1:
            content = content[:at] + content[at : at + size] * 2 + content[at + size :]
        elif kind == 2:
            content = content[:at] + draw.randbytes(size) + content[at + size :]
        elif kind == 3:
            content = content[:at]
        elif kind == 4:
            content = content.replace(b",", draw.choice((b";", b"\t", b",,", b"|")))
        elif kind == 5:
            lines = content.split(b"\n")
            draw.shuffle(lines)
            content = b"\n".join(lines)
        elif kind == 6:
            other = draw.choice(("utf-16", "cp1252", "utf-8-sig"))
            content = content.decode("utf-8", "ignore").encode(other, "ignore")
        else:
            content = (
                content[:at]
                + draw.choice((b'"', b"'", b"\0", b"&a [*a]", b": {", b"\xff\xfe"))
                + content[at:]
            )
    return content


def what_differs(before: RecordingSet, after: RecordingSet) -> str:
    """Say in what a set read from damaged files differs from the whole one, the gravest first."""

    def rows(found: RecordingSet) -> dict[tuple[str, str], tuple[object, ...]]:
        names = (
            "patient_id",
            "video",
            "duration_s",
            "diagnosis",
            "split",
            "fold",
            "audio",
            "pose",
            "transcript",
        )
        told = {
            (each.video_id, ""): tuple(getattr(each, name) for name in names) for each in found.recordings
        }
        return told | {
            (each.video_id, each.feature): (each.present, each.onset_s, each.offset_s, each.side)
            for each in found.annotations
        }

    old, new = rows(before), rows(after)
    if any(old.get(key) != value for key, value in new.items()):
        return "other answers or times"
    if len(new) < len(old) or set(after.reports) != set(before.reports):
        return "rows missing"
    if after.metadata.get("simulated") != before.metadata.get("simulated"):
        return "no longer called simulated"
    return "other free text, names or order"


def main() -> None:
    """Fuzz, and print the counts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replies", type=int, default=100_000)
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    draw, counts, told = random.Random(chosen.seed), Counter[str](), Counter[str]()  # noqa: S311 - no secrets
    known, readers, longest = replies(), parsers(), 0.0
    for _ in track(range(chosen.replies), "replies"):
        text = broken_reply(known, draw)
        for name, read in readers.items():
            began = time.perf_counter()
            try:
                read(text)
            except Exception as error:  # noqa: BLE001 - it is what is counted
                counts["tracebacks of replies"] += 1
                told[f"{name}: {type(error).__name__}: {str(error)[:80]}"] += 1
            longest = max(longest, time.perf_counter() - began)
        counts["replies"] += 1
    with TemporaryDirectory() as folder:
        data = Path(folder) / "set"
        simulate(data, patients=4, recordings_per_patient=1, seed=1, size=(64, 64), fps=2, progress=False)
        right = read_recording_set(data)
        names = ["recordings.csv", "annotations.csv", "reports.csv", "dataset.yaml"]
        whole = {name: (data / name).read_bytes() for name in names if (data / name).exists()}
        for _ in track(range(chosen.sets), "sets"):
            name = draw.choice(list(whole))
            (data / name).write_bytes(damage_text(whole[name], draw))
            try:
                found = read_recording_set(data)
                differs = None if found == right else what_differs(right, found)
                counts[f"sets read with {differs or 'the same content'}"] += 1
                if differs and not differs.startswith("other free"):
                    told[f"{name}: read with {differs}"] += 1
            except RecordingSetError:
                counts["sets refused in words"] += 1
            except Exception as error:  # noqa: BLE001 - it is what is counted
                counts["tracebacks of sets"] += 1
                told[f"{name}: {type(error).__name__}: {str(error)[:80]}"] += 1
            (data / name).write_bytes(whole[name])
            counts["sets"] += 1
    print_table(
        ["what", "number"], [*sorted(counts.items()), ("longest time of a reply, s", f"{longest:.2f}")]
    )
    for line, times in told.most_common(20):
        sys.stdout.write(f"{times} times {line.replace(os.sep, '/')}\n")


if __name__ == "__main__":
    main()
