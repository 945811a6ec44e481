"""Finding and reading the files that lmms-eval writes: ``<stamp>_results.json`` and
``<stamp>_samples_<task>.jsonl`` in one folder per model.

Files that are not ours are never an error: they are left out and named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semiology.metrics.scores.probability import probability_of_feature

RESULTS = "_results.json"
RESULT_FILE = re.compile(r"^(?P<stamp>.+?)(_results\.json|_samples_(?P<task>.+)\.jsonl)$")
# The checkpoints in this package lie where it is installed; nobody wants to read that path.
EMBEDDED_MODELS: Mapping[str, str] = {
    "backends/embedded/checkpoints/sees": "embedded",
    "backends/embedded/checkpoints/hears": "embedded_audio",
    "backends/tiny/checkpoint": "embedded",  # where version 0.1 had them
    "backends/tiny_audio/checkpoint": "embedded_audio",
}
RUN_RECORD = "semiology_run.json"
WITHOUT_EFFECT = frozenset(
    {
        "pretrained",
        "model",
        "model_version",
        "device",
        "device_map",
        "batch_size",
        "journal",
        "base_url",
        "api_key",
        "timeout",
        "num_concurrent",
        "max_retries",
        "tensor_parallel_size",
        "trust_remote_code",
        "gpu_memory_utilization",
        "use_cache",
        "cache_dir",
    }
)
"""Model arguments that say which checkpoint it is, or where and how fast it runs."""
FEATURE_KEY = "semiology"
"""Under which a sample of a feature task holds its record; those of S3 tasks hold theirs elsewhere."""
REHAB_PREFIX = "strokerehab"
STATE_MACHINE = "semiology_state_machine"
"""The model class that wraps another."""
HUMAN_READER = "semiology_human_reader"
"""In place of a model class where people answered (`semiology review export --protocol reader`)."""
S3_PREFIX = "s3_"
"""With which the names of S3 tasks, and nothing else of ours, begin."""
REQUIRED = ("video_id", "patient_id", "feature", "segment", "answer", "truth")
WORDS: Mapping[str, tuple[str, ...]] = {
    "answer": ("yes", "no", "na", "unparsed"),
    "truth": ("yes", "no", "na"),
}


_DOCUMENT = re.compile(rb'\{"doc_id": (\d+)')


class ResultsError(ValueError):
    """No result can be read from the folders given; the message says what was found and what to do."""


class NoAnswersError(ResultsError):
    """The folders hold no answers of the tasks looked for."""


def mapping(record: Mapping[str, Any] | None, key: str) -> Mapping[str, Any]:
    """Return what a record from outside holds under a key if that is a mapping, else an empty one."""
    value = (record or {}).get(key)
    return value if isinstance(value, Mapping) else {}


@dataclass
class ResultFiles:
    """The files of one run of lmms-eval in one folder.

    Attributes:
        folder: where they lie.
        stamp: time stamp that begins their names; later runs sort later.
        record: the parsed results file, or None if there is none.
        samples: sample file by task.
        whole: whether every file of the run was looked for (not so if the user named one sample file).
    """

    folder: Path
    stamp: str
    record: dict[str, Any] | None = None
    samples: dict[str, Path] = field(default_factory=dict)
    whole: bool = True

    @property
    def model(self) -> str:
        """Full name of the model: the checkpoint if one was named, else the model class or the folder."""
        record, config = self.record or {}, mapping(self.record, "config")
        arguments = model_arguments(config)
        if config.get("model") == STATE_MACHINE:
            within = dict(
                part.split("=", 1) for part in arguments.get("base_args", "").split(";") if "=" in part
            )
            asked = str(within.get("pretrained") or arguments.get("base") or "")
            asked = next((short for path, short in EMBEDDED_MODELS.items() if asked.endswith(path)), asked)
            return f"{Path(asked).name} in a state machine"
        named = record.get("model_name") or arguments.get("pretrained") or arguments.get("model")
        name = str(named or config.get("model") or record.get("model_source") or self.folder.name)
        return next((short for path, short in EMBEDDED_MODELS.items() if name.endswith(path)), name)

    @property
    def settings(self) -> Mapping[str, str]:
        """What can change an answer: model arguments but the checkpoint and where and how fast it ran, and whether
        sound was played whole.
        """
        arguments = model_arguments(mapping(self.record, "config"))
        found = {key: str(value) for key, value in arguments.items() if key not in WITHOUT_EFFECT}
        configs = mapping(self.record, "configs")
        played = [mapping(mapping(configs, task), "metadata").get("audio_segments") for task in configs]
        whole = next((str(each) for each in played if each), None)
        return found | ({"audio_segments": whole} if whole else {})

    @property
    def feature_samples(self) -> list[tuple[str, Path]]:
        """Task and path of each sample file that may hold answers on features, by task."""
        return [(task, path) for task, path in self.other_samples if not task.startswith(S3_PREFIX)]

    @property
    def other_samples(self) -> list[tuple[str, Path]]:
        """Task and path of each sample file that is not of a stroke-rehabilitation task, by task."""
        return sorted(
            (task, path) for task, path in self.samples.items() if not task.startswith(REHAB_PREFIX)
        )

    @property
    def age(self) -> tuple[str, str]:
        """Sorting key: the digits of the stamp, then the path."""
        return re.sub(r"\D", "", self.stamp), str(self.folder)


def model_arguments(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the model arguments of a run, which lmms-eval records as a mapping or as ``key=value,…``."""
    arguments = config.get("model_args")
    if isinstance(arguments, Mapping):
        return arguments
    return dict(part.split("=", 1) for part in str(arguments or "").split(",") if "=" in part)


def find_result_files(paths: Sequence[Path], notes: list[str]) -> list[ResultFiles]:
    """Return the runs found in folders (any depth) and files, oldest first; remarks are added to ``notes``.

    Raises:
        ResultsError: a path does not exist.
    """
    runs: dict[tuple[Path, str], ResultFiles] = {}
    for path in paths:
        if not path.exists():
            raise ResultsError(f"{path}: there is no such file or folder → give the folder of a finished run")
        whole = path.is_dir() or path.name.endswith(RESULTS)
        for file in sorted(_candidates(path)):
            found = RESULT_FILE.match(file.name)
            if not found:
                notes.append(f"{file.name}: neither a results nor a samples file of lmms-eval → ignored")
                continue
            key, stamp = (file.parent.resolve(), found["stamp"]), found["stamp"]
            run = runs.setdefault(key, ResultFiles(file.parent, stamp, whole=whole))
            if found["task"]:
                run.samples[found["task"]] = file
            elif run.record is None:
                run.record = _json(file, notes)
    for run in runs.values():
        check_whole(run)
    return sorted(runs.values(), key=lambda run: run.age)


def check_whole(run: ResultFiles) -> None:
    """Refuse a run whose sample files do not hold the questions that its results file counts, each once.

    lmms-eval leaves a task's file empty where one reply cannot be written, and adds to a file that is there.

    Raises:
        ResultsError: a file is empty or shorter than the results say, or holds the answers of two runs.
    """
    counts = run.record.get("n-samples") if run.record else None
    for task, path in run.samples.items():
        expected = (counts.get(task) or {}).get("effective") if isinstance(counts, Mapping) else None
        if not isinstance(expected, int):
            continue
        lines = [line for line in path.read_bytes().split(b"\n") if line.strip()]
        numbers = [found.group(1) for line in lines if (found := _DOCUMENT.match(line))]
        if len(lines) < expected:
            raise ResultsError(
                f"{path}: holds {len(lines)} of the {expected} samples that its results file counts, so its scores "
                "would be of something else → run the same command again"
            )
        if 2 * (len(numbers) - len(set(numbers))) >= max(expected, 2):
            raise ResultsError(
                f"{path}: holds {len(lines)} samples, some twice, where its results file counts {expected}: two runs "
                "wrote into one folder → run each again with an --out of its own"
            )


def feature_fault(record: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the record of a feature task, or None."""
    missing = [name for name in REQUIRED if record.get(name) is None]
    if missing:
        return f"the semiology record has no {missing[0]}"
    for name, words in WORDS.items():
        if record[name] not in words:
            return f"{name} is {str(record[name])[:20]!r}, not one of {', '.join(words)}"
    if not isinstance(record["segment"], int) or record["segment"] < 0:
        return "segment is not a number from 0"
    return None


def read_samples(
    path: Path,
    notes: list[str],
    *,
    key: str = FEATURE_KEY,
    fault: Callable[[Mapping[str, Any]], str | None] = feature_fault,
) -> list[dict[str, Any]]:
    """Return the semiology records of one sample file.

    Args:
        path: the file.
        notes: remarks are added here.
        key: under which a sample holds its record.
        fault: says what is wrong with a record.

    A cut-off last line, as an interrupted run leaves it, and any row that cannot be used are left out and
    noted with file and row. A file without a single semiology record gives an empty list and a note.
    """
    kept: list[dict[str, Any]] = []
    foreign = 0
    lines = path.read_bytes().split(b"\n")
    last = max((i for i, line in enumerate(lines) if line.strip()), default=-1)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        record, problem = _record_of(line, key)
        problem = problem or (fault(record) if record is not None else None)
        if problem and number - 1 == last and lines[-1] != b"":
            problem = "the last line is cut off, as after an interrupted run"
        if problem:
            notes.append(f"{path.name}:{number}: {problem} → row left out")
        elif record is None:
            foreign += 1
        else:
            kept.append(record)
    if foreign:
        what = "holds no semiology records" if not kept else f"has {foreign} rows without a semiology record"
        notes.append(f"{path.name}: {what} → {'file' if not kept else 'rows'} ignored")
    elif not kept:
        notes.append(f"{path.name}: holds no usable sample → file ignored")
    return kept


def read_run_record(folder: Path, roots: Iterable[Path], notes: list[str]) -> dict[str, Any]:
    """Return the ``semiology_run.json`` beside a result or in a folder above it, up to the folders given."""
    limits = [root.resolve() for root in roots]
    here = folder.resolve()
    for place in (here, *here.parents):
        file = place / RUN_RECORD
        if file.is_file():
            record = _json(file, notes)
            return record if record is not None else {}
        # One step above the given folder: lmms-eval nests results in a folder named after the model.
        if any(place == limit.parent for limit in limits) or place == place.parent:
            break
    return {}


def _candidates(path: Path) -> Iterable[Path]:
    """Return the result files in a folder; with a results file its samples, with a sample file its results."""
    if path.is_dir():
        return [file for file in path.rglob("*") if RESULT_FILE.match(file.name)]
    own = RESULT_FILE.match(path.name)
    beside = [(file, RESULT_FILE.match(file.name)) for file in (path.parent.iterdir() if own else ())]
    return [path] + [
        file
        for file, found in beside
        if own and found and found["stamp"] == own["stamp"] and bool(found["task"]) != bool(own["task"])
    ]


def _json(file: Path, notes: list[str]) -> dict[str, Any] | None:
    try:
        value = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, UnicodeDecodeError):
        notes.append(f"{file.name}: not readable as JSON → ignored")
        return None
    if not isinstance(value, dict):
        notes.append(f"{file.name}: not a JSON object → ignored")
        return None
    return value


def _record_of(line: bytes, key: str) -> tuple[dict[str, Any] | None, str | None]:
    """Return the record of a sample line, or None if it has none, or that the line cannot be read."""
    try:
        sample = json.loads(line.decode("utf-8"))
    except (ValueError, UnicodeDecodeError):
        return None, "not readable as JSON"
    record = sample.get(key) if isinstance(sample, dict) else None
    if not isinstance(record, dict):
        return None, None
    if b"\\ud" in line.lower():
        # Half of a surrogate pair, as a reply cut between two tokens can end in, is no text: neither Arrow
        # nor a file takes it.
        whole = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
        record = json.loads(whole)
    counts = sample.get("token_counts")
    first = counts[0] if isinstance(counts, list) and counts else None
    scores = first.get("first_token_logprobs") if isinstance(first, dict) else None
    if isinstance(scores, dict) and "polarity" in record:  # as the answers of a sweep that were scored
        record = {**record, "p_yes": probability_of_feature(scores, str(record["polarity"]))}
    return record, None
