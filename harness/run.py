"""``semiology run``: the benchmark through lmms-eval's Python entry, checked before and after.

The same tasks, files and scores as the bare ``lmms_eval`` command, without indexing lmms-eval's own thousand
task files, with a real exit status, and with a record of the run beside the results.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiology.backends.journal import FAILED, failure_of
from semiology.data.cache import write_whole
from semiology.data.owned_folder import owned_folder
from semiology.data.protection.splits import ALL, DEV, TEST, parse_purpose
from semiology.data.strokerehab.study import is_study
from semiology.harness.machine.ending import UNANSWERED_STATUS
from semiology.harness.options import RunOptions
from semiology.harness.plugin import add_tasks
from semiology.harness.preflight import PreflightError
from semiology.harness.typos import check_model, check_tasks, check_window
from semiology.render.progress import status_kept
from semiology.reports.read.lmms_eval_files import ResultsError, find_result_files
from semiology.settings import (
    ANSWER_FORMAT,
    AUDIO_SEGMENTS,
    DATA,
    ONLY,
    ONSET_CLIPS,
    PROMPT,
    RECORDINGS,
    REHAB_SPLIT,
    SPLIT,
    TRAINED_ON,
    VIDEOS,
    WINDOW,
    prefer_decord,
    processes,
)
from semiology.tasks.s3.task_list import GROUP as S3_GROUP
from semiology.tasks.settings import cache_directory, window_for_model
from semiology.tasks.strokerehab.settings import read_rehab_settings
from semiology.tasks.strokerehab.targets import study_plan
from semiology.tasks.strokerehab.task_list import GROUP as REHAB_GROUP
from semiology.tasks.task_list import ENHANCED_GROUPS, GROUP
from semiology.versions import installed_versions

if TYPE_CHECKING:
    from semiology.harness.asking import Probe

RUN_FILE = "semiology_run.json"
BEGUN_FILE = ".semiology_begun.json"
"""The result files that lay in a folder when a run began; it goes when the run's own are whole."""
STUDY_SPLITS = {TEST: "test", DEV: "tune", ALL: "all"}
"""Split of a stroke-rehabilitation study by the purpose that names it."""
EMBEDDED = "embedded"
EMBEDDED_AUDIO = "embedded_audio"
KEEP_THEIR_OWN = ("semiology_hf", "semiology_openai")
"""Model classes that keep their answers in a journal of their own."""
MOST_REASONS = 3
_log = logging.getLogger(__name__)


class RunError(RuntimeError):
    """A run ended without complete results; the message says what is missing."""


class UnansweredRequestsError(RunError):
    """A run has its results, but some requests got no reply: `exit_status` tells a script so."""

    exit_status = UNANSWERED_STATUS


def run(
    options: RunOptions,
    *,
    journal: Path | None = None,
    probe: Probe | None = None,
    then: Callable[[Path], None] | None = None,
) -> Path:
    """Run the selected tasks and return the folder that holds the result files.

    Answers are kept as they come, so that the same command goes on where a killed one stopped. The journal of a run
    goes once every question has its answer, and ``then`` has made of the results' folder what is made of it: the same
    command then asks afresh. The folder ``journal`` outlives the run, instead.

    Raises:
        PreflightError: the run was started several times side by side (torchrun), or names what does not exist.
        RunError: lmms-eval finished without a result file for every selected task.
        SystemExit: Status 2, when the run cannot start; the message was printed.
    """
    if processes() > 1:
        raise PreflightError(
            "semiology run asks in one process → start it without torchrun or accelerate launch; for several GPUs: "
            "torchrun --nproc_per_node N -m lmms_eval …"
        )
    model, model_args = resolve_model(options.model, options.model_args)
    check_names(model, options.tasks, model_args, options.window)
    DATA.choose(str(options.data))
    PROMPT.choose(options.prompt_id)
    ANSWER_FORMAT.choose(options.answer_format or "")
    AUDIO_SEGMENTS.choose(options.audio_segments or AUDIO_SEGMENTS.text())
    ONSET_CLIPS.choose(options.onset_clips or ONSET_CLIPS.text())
    ONLY.choose("1")
    WINDOW.choose(options.window or window_for_model(model, model_args))
    choose_recordings(options)
    choose_study_split(options.split, options.data)
    prefer_decord()
    from semiology.harness.asking import REQUESTS_AT_ONCE, answers_kept

    own = hashlib.sha256(f"{options.out.resolve()}|{model}|{model_args}".encode()).hexdigest()[:16]
    kept = cache_directory() / "run_journals" / own
    started = time.monotonic()
    at_once = max(REQUESTS_AT_ONCE, 4 * options.batch_size)
    with owned_folder(options.out), status_kept(options.out):
        remove_half_written(options.out)
        before = result_files(options.out)
        begun = json.dumps([path.relative_to(options.out).as_posix() for path in before])
        write_whole(options.out / BEGUN_FILE, begun, private=True)
        try:
            with answers_kept(model, model_args, journal or kept, probe=probe, at_once=at_once):
                results = _evaluate(_arguments(options, model, model_args), options.verbosity.upper())
        except BaseException:
            if result_files(options.out) == before:  # there is nothing half written to look for
                (options.out / BEGUN_FILE).unlink(missing_ok=True)
            raise
        groups = {GROUP, S3_GROUP, REHAB_GROUP, *ENHANCED_GROUPS}
        folder = _result_folder(options.out, set(results["results"]) - groups, before)
        _write_record(folder, options, model_args, started)
        (options.out / BEGUN_FILE).unlink(missing_ok=True)
    if then is not None:
        then(folder)
    if not failed_requests(folder)[0]:
        shutil.rmtree(kept, ignore_errors=True)
    return folder


def choose_study_split(split: str | None, data: Path) -> None:
    """Choose whose videos of a stroke-rehabilitation study are asked about; nothing for other data.

    Raises:
        PreflightError: a study has no such split.
    """
    if split and is_study(data):
        chosen = parse_purpose(split)
        if chosen not in STUDY_SPLITS:
            raise PreflightError(f"--split {split}: a study has the splits {', '.join(STUDY_SPLITS)}")
        REHAB_SPLIT.choose(STUDY_SPLITS[chosen])


def choose_recordings(options: RunOptions) -> None:
    """Choose which recordings are asked: a split, and of it what ids and places name.

    Raises:
        PreflightError: ids or places are named of a study, which has no recordings.
    """
    if is_study(options.data) and (options.recordings or options.videos):
        raise PreflightError(
            "--recordings, --videos: a study has no recordings to choose → choose by --split"
        )
    SPLIT.choose(options.split or "")
    RECORDINGS.choose(options.recordings or "")
    VIDEOS.choose(options.videos or "")
    TRAINED_ON.choose("" if options.trained_on is None else str(options.trained_on.resolve()))


def check_names(model: str, tasks: str, model_args: str = "", window: str | None = None) -> None:
    """Refuse names that do not exist, before anything heavy is imported.

    Raises:
        PreflightError: a name is unknown; the message says which one is nearest.
    """
    check_window(window)
    check_tasks(tasks)
    check_model(model, model_args)


def check_replies(folder: Path) -> None:
    """Check that every request of the newest run got a reply.

    Raises:
        UnansweredRequestsError: Some got none; the message says how many, and the commonest reasons.
    """
    reasons, asked = failed_requests(folder)
    if reasons:
        told = [f"{times} times: {reason}" for reason, times in Counter(reasons).most_common(MOST_REASONS)]
        raise UnansweredRequestsError(
            f"{len(reasons)} of {asked} requests got no reply and count as unparsed; the same command asks them again\n"
            + "\n".join(told)
        )


def failed_requests(folder: Path) -> tuple[list[str], int]:
    """Return why requests of the newest run never got a reply, each its reason, and how many were asked.

    lmms-eval's server classes write a marker in place of the reply; to a score it looks like a bad answer.
    """
    newest = max(folder.glob("*_results.json")).name.removesuffix("_results.json")
    lines = [
        line for path in folder.glob(f"{newest}_samples_*.jsonl") for line in path.open(encoding="utf-8")
    ]
    failed = [json.loads(line) for line in lines if FAILED in line]
    return [_reason(record) for record in failed], len(lines)


def _reason(record: Mapping[str, Any]) -> str:
    """Return the reason that stands in the marker of a sample."""
    replies = [record.get("filtered_resps"), record.get("resps")]
    while replies:
        reply = replies.pop(0)
        if isinstance(reply, list):
            replies = [*reply, *replies]
        elif isinstance(reply, str) and (reason := failure_of(reply)) is not None:
            return reason or "no reason was given"
    return "no reason was given"


def resolve_model(model: str, model_args: str) -> tuple[str, str]:
    """Return lmms-eval's model name and arguments.

    ``embedded`` and ``embedded_audio`` stand for the models in this package; further arguments come last.

    Raises:
        RunError: the arguments are not ``key=value`` separated by commas.
    """
    # Commas within quotes and braces separate nothing; lmms-eval reads them.
    if model_args.strip() and not any(mark in model_args for mark in "\"'{["):
        for part in model_args.split(","):
            if not part.partition("=")[0].strip() or "=" not in part:
                raise RunError(
                    f"--model-args: {part!r} is not of the form key=value → separate the arguments by commas; "
                    "a value that holds a comma needs quotes around it"
                )
    from semiology.backends.embedded import hears, sees

    embedded = {
        EMBEDDED: ("semiology_hf", sees.CHECKPOINT, sees.SHARED_PREFIX_ARGS),
        EMBEDDED_AUDIO: ("semiology_qwen2_audio", hears.CHECKPOINT, hears.MODEL_ARGS),
    }
    if model not in embedded:
        return model, model_args
    name, checkpoint, settings = embedded[model]
    given = [f"pretrained={checkpoint}", *(f"{key}={value}" for key, value in settings.items())]
    return name, ",".join([*given, *([model_args] if model_args else [])])


def without_journal(model: str, model_args: str) -> str:
    """Return the arguments of a model whose answers the caller keeps: it keeps none itself unless told to."""
    if model not in KEEP_THEIR_OWN or "journal=" in model_args:
        return model_args
    return f"{model_args},journal=none".lstrip(",")


def _arguments(options: RunOptions, model: str, model_args: str) -> list[str]:
    """Return the command line that lmms-eval reads."""
    arguments = ["--model", model, "--model_args", model_args, "--tasks", options.tasks]
    arguments += ["--batch_size", str(options.batch_size), "--log_samples", "--output_path", str(options.out)]
    arguments += ["--verbosity", options.verbosity.upper(), "--timezone", "UTC"]
    if options.limit is not None:
        arguments += ["--limit", str(options.limit)]
    if options.use_cache is not None:
        arguments += ["--use_cache", str(options.use_cache)]
    return [*arguments, *(options.extra or ())]


def _evaluate(arguments: list[str], verbosity: str) -> dict[str, Any]:
    """Call lmms-eval in this process so that a failure is an exception, not an exit status of 0."""
    sys.argv = ["lmms_eval", *arguments]
    add_tasks()
    import datasets
    from lmms_eval.__main__ import cli_evaluate_single, parse_eval_args
    from loguru import logger

    datasets.disable_progress_bars()
    logger.remove()
    logger.add(sys.stderr, level=verbosity, format="<level>{level: <7}</level> {message}")
    _, parsed = parse_eval_args()
    results, _ = cli_evaluate_single(parsed)
    if results is None:
        raise RunError("lmms-eval returned no results on this process; look at the first process's log")
    return dict(results)


def result_files(out: Path) -> dict[Path, tuple[int, int]]:
    """Return the results files in a folder with size and time of change, to tell new ones whatever the clock says."""
    states = {path: path.stat() for path in out.rglob("*_results.json")}
    return {path: (state.st_size, state.st_mtime_ns) for path, state in states.items()}


def remove_half_written(out: Path) -> None:
    """Remove result files that a killed run of ours left half written; their answers are in its journal.

    A report would refuse the whole folder. What lay there before that run, and what is whole, is left alone.
    """
    try:
        known = set(json.loads((out / BEGUN_FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return
    except (OSError, ValueError):
        _log.warning("%s cannot be read: half-written results are not looked for", out / BEGUN_FILE)
        return
    for path in result_files(out):
        if path.relative_to(out).as_posix() in known or _is_whole(path):
            continue
        stamp = path.name.removesuffix("_results.json")
        for part in (*path.parent.glob(f"{stamp}_samples_*.jsonl"), path):
            part.unlink(missing_ok=True)
        _log.warning("%s was half written when its run was killed, and is written again", path)


def _is_whole(results: Path) -> bool:
    """Return whether a results file and the sample files of all of its tasks are whole."""
    try:
        (found,) = find_result_files([results], [])
    except (ResultsError, ValueError):
        return False
    counts = (found.record or {}).get("n-samples")
    return isinstance(counts, Mapping) and set(counts) <= set(found.samples)


def _result_folder(out: Path, tasks: set[str], before: Mapping[Path, tuple[int, int]]) -> Path:
    """Find the newest result file and check that it and the sample files hold every task."""
    files = [path for path, state in result_files(out).items() if before.get(path) != state]
    if not files:
        raise RunError(f"{out}: lmms-eval wrote no results file; run again with --verbosity DEBUG to see why")
    newest = max(files, key=lambda path: path.stat().st_mtime)
    stamp = newest.name.removesuffix("_results.json")
    missing = [
        task for task in sorted(tasks) if not (newest.parent / f"{stamp}_samples_{task}.jsonl").exists()
    ]
    if missing:
        raise RunError(f"{newest.parent}: no answers were written for {', '.join(missing)}")
    return newest.parent


def _write_record(folder: Path, options: RunOptions, model_args: str, started: float) -> None:
    """Write what was run beside its results, for the report."""
    record = {
        **_asked_of(options),
        "model": options.model,
        "model_args": model_args,
        "tasks": options.tasks,
        "limit": options.limit,
        "seconds": round(time.monotonic() - started, 1),
        "python": platform.python_version(),
        "packages": installed_versions(),
    }
    (folder / RUN_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _asked_of(options: RunOptions) -> dict[str, Any]:
    """Return which recordings, or which videos of a study, a run was about."""
    if is_study(options.data):
        rehab = read_rehab_settings()
        study = study_plan(rehab).study
        return {
            "data": rehab.root.name,
            "prompt_id": rehab.prompt_id,
            "recordings": len(study.videos) + len(study.clips),
            "exclusions": sorted(str(problem) for problem in study.problems),
        }
    from semiology.tasks.plan import current_plan
    from semiology.tasks.settings import read_settings

    settings = read_settings()
    plan = current_plan(settings)
    return {
        "data": f"{plan.recording_set.name} {plan.recording_set.version}".strip(),
        "prompt_id": options.prompt_id,
        "answer_format": options.answer_format,
        "audio_segments": AUDIO_SEGMENTS.text(),
        "onset_clips": ONSET_CLIPS.text(),
        "window": settings.window_name,
        "split": settings.purpose,
        "recordings_chosen": options.recordings,
        "videos_chosen": options.videos,
        "recordings": len(plan.recording_set.recordings),
        "exclusions": sorted(plan.excluded),
    }
