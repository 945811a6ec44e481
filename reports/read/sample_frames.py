"""Sample files of feature tasks as data frames, read by Arrow: two million answers in a minute.

Arrow reads a file only if every line of it is whole and of the expected form. Any other file is read line by
line by `semiology.reports.read.lmms_eval_files.read_samples`, which names what it leaves out.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from semiology.metrics.scores.probability import probabilities_of_feature
from semiology.reports.read.lmms_eval_files import FEATURE_KEY, REQUIRED, WORDS, read_samples

if TYPE_CHECKING:
    import pyarrow as pa

STRINGS = (
    "enhancement",
    "prompt_id",
    "prompt_hash",
    "video_id",
    "patient_id",
    "feature",
    "answer",
    "truth",
    "raw",
    "justification",
    "family",
    "polarity",
    "answer_format",
    "provenance",
    "unparsed_because",
    "answer_language",
)
NUMBERS = ("start_s", "end_s")
QUESTION = "input"
"""Under which lmms-eval logs the text of a question."""
COUNTS = "token_counts"
"""Under which it logs, in a list of one, what a model class that scores tells of the first token."""
SCORES = "first_token_logprobs"
BLOCK_BYTES = 1 << 24
READERS = min(4, os.cpu_count() or 1)
"""Files that Arrow reads at a time, each in a thread that leaves Python alone."""


def tables_ahead(paths: Sequence[Path]) -> Generator[pa.Table | None, None, None]:
    """Yield what `sample_frame` needs of each file, in order, while the next few are being read."""
    waiting: deque[Future[pa.Table | None]] = deque()
    with ThreadPoolExecutor(READERS) as readers:
        for path in paths:
            waiting.append(readers.submit(_arrow_table, path))
            if len(waiting) > READERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def sample_frame(
    path: Path, table: pa.Table | None, notes: list[str], questions: dict[str, str]
) -> pd.DataFrame | None:
    """Return the answers in one sample file; None if it holds none that can be used.

    Args:
        path: the file.
        table: its content as `tables_ahead` gives it; None where it must be read line by line.
        notes: remarks are added here.
        questions: the text of each question is added here under its hash, if it has that hash.
    """
    if table is None:
        rows = read_samples(path, notes)
        if not rows:
            return None
        _note_questions(path, questions)
        columns = (*STRINGS, *NUMBERS, "segment", "p_yes")
        return pd.DataFrame([{name: row.get(name) for name in columns} for row in rows])
    _add_questions(table, questions)
    frame: pd.DataFrame = table.drop_columns([QUESTION, "log_yes", "log_no"]).to_pandas()
    yes, no = (table.column(name).to_pandas().to_numpy(dtype=float) for name in ("log_yes", "log_no"))
    return frame.assign(p_yes=probabilities_of_feature(yes, no, frame["polarity"].to_numpy(dtype=object)))


def _arrow_table(path: Path) -> pa.Table | None:
    """Return the records of a file without a fault; None if the careful reader must look at it."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import json as arrow_json

    fields = [(name, pa.string()) for name in STRINGS] + [(name, pa.float64()) for name in NUMBERS]
    record = pa.struct([*fields, ("segment", pa.int64())])
    scores = pa.struct([(SCORES, pa.struct([("yes", pa.float64()), ("no", pa.float64())]))])
    schema = pa.schema([(FEATURE_KEY, record), (QUESTION, pa.string()), (COUNTS, pa.list_(scores))])
    options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    try:
        read = arrow_json.read_json(
            path, arrow_json.ReadOptions(block_size=BLOCK_BYTES, use_threads=False), options
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    if read.num_rows == 0 or read.column(FEATURE_KEY).null_count:
        return None
    flat = read.drop_columns([COUNTS]).flatten().rename_columns([*STRINGS, *NUMBERS, "segment", QUESTION])
    try:
        first = pc.list_element(read.column(COUNTS), 0)
    except pa.ArrowInvalid:
        return None
    for answer in ("yes", "no"):
        flat = flat.append_column(f"log_{answer}", pc.struct_field(first, [SCORES, answer]))
    faulty = any(flat.column(name).null_count for name in REQUIRED) or any(
        not pc.all(pc.is_in(flat.column(name), value_set=pa.array(words))).as_py()
        for name, words in WORDS.items()
    )
    if faulty or pc.min(flat.column("segment")).as_py() < 0:
        return None
    return flat


def _add_questions(table: pa.Table, questions: dict[str, str]) -> None:
    """Keep one question of each hash, where its text has that hash."""
    import pyarrow.compute as pc

    for digest in pc.unique(table.column("prompt_hash")).to_pylist():
        if digest is None or digest in questions:
            continue
        place = pc.index(table.column("prompt_hash"), digest).as_py()
        _keep(digest, table.column(QUESTION)[place].as_py(), questions)


def _note_questions(path: Path, questions: dict[str, str]) -> None:
    """The same for a file that was read line by line."""
    for line in path.read_bytes().split(b"\n"):
        try:
            sample: Any = json.loads(line)
        except ValueError:
            continue
        record = sample.get(FEATURE_KEY) if isinstance(sample, dict) else None
        if isinstance(record, Mapping) and record.get("prompt_hash") not in questions:
            _keep(record.get("prompt_hash"), sample.get(QUESTION), questions)


def _keep(digest: Any, text: Any, questions: dict[str, str]) -> None:
    if isinstance(digest, str) and isinstance(text, str):
        found = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        if found == digest:
            questions[digest] = text
