"""How each run was made, from lmms-eval's record and ours, without paths and names of recordings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semiology.reports.read.feature_answers import model_names
from semiology.reports.read.lmms_eval_files import (
    ResultFiles,
    find_result_files,
    mapping,
    model_arguments,
    read_run_record,
)
from semiology.reports.read.path_scrubbing import without_paths

_COMMAND_KEYS = ("model", "model_args", "tasks", "batch_size", "limit", "gen_kwargs", "device", "repeats")
_SEEDS = ("random_seed", "numpy_seed", "torch_seed", "fewshot_seed")
GENERATION = ("temperature", "do_sample", "top_p", "num_beams", "max_new_tokens")


def run_provenances(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return one record per run found, oldest first.

    Keys: model, model_class, model_args, revision, tasks (number), date, seeds, generation, window, data,
    simulated, limit, seconds, output_tokens_per_question, packages, python, command. What a file does not tell is
    left out.
    """
    notes: list[str] = []
    runs = find_result_files(paths, notes)
    names = model_names(runs)
    roots = [path if path.is_dir() else path.parent for path in paths]
    return [_provenance(run, name, roots) for run, name in zip(runs, names, strict=True)]


def mixed_versions(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence for each package that reads or asks and that the runs have in several versions.

    Args:
        runs: of :func:`run_provenances`.
    """
    found = []
    for package in ("lmms-eval", "transformers", "semiology-eval"):
        versions = {str(run["packages"][package]) for run in runs if package in run.get("packages", {})}
        if len(versions) > 1:
            found.append(
                f"the runs were made with {package} {', '.join(sorted(versions))}: prompts, sampling or "
                "decoding may differ between them → ask again with one version before you compare closely"
            )
    return found


def _provenance(run: ResultFiles, name: str, roots: Sequence[Path]) -> dict[str, Any]:
    record = run.record or {}
    config = mapping(record, "config")
    arguments = str(config.get("model_args") or "")
    own = read_run_record(run.folder, roots, [])
    tasks = [task for task in mapping(record, "configs").values() if isinstance(task, Mapping)]
    described = [mapping(task, "metadata") for task in tasks]
    generation: dict[str, list[Any]] = {}  # the values that tasks asked for, each once
    for task in tasks:
        for key in GENERATION:
            value = mapping(task, "generation_kwargs").get(key)
            if value is not None and value not in generation.setdefault(key, []):
                generation[key].append(value)
    try:
        seconds = round(float(str(record.get("total_evaluation_time_seconds"))), 1)
    except ValueError:
        seconds = None
    typed = mapping(config, "resolved_cli_args") or config
    words = [
        f"--{key} {without_paths(str(typed[key]))}"
        for key in _COMMAND_KEYS
        if typed.get(key) not in (None, "", False)
    ]
    found: dict[str, Any] = {
        "model": without_paths(name),
        "model_class": config.get("model") or record.get("model_source"),
        "model_args": without_paths(arguments),
        "revision": model_arguments(config).get("revision"),
        "tasks": len(run.samples) or len(tasks),
        "date": run.stamp,
        "seeds": {key: config[key] for key in _SEEDS if config.get(key) is not None},
        "generation": generation,
        "window": own.get("window") or next((d["window"] for d in described if d.get("window")), None),
        "data": own.get("data")
        or next((d["recording_set"] for d in described if "recording_set" in d), None),
        "simulated": any(d.get("simulated") is True for d in described) or None,
        "limit": config.get("limit"),
        "seconds": seconds or own.get("seconds"),
        "output_tokens_per_question": _tokens_per_question(record),
        "packages": next((d["packages"] for d in described if d.get("packages")), own.get("packages")),
        "python": own.get("python"),
        "command": " ".join(["lmms_eval", *words, "--log_samples"]) if words else None,
    }
    return {key: _clean(value) for key, value in found.items() if value not in (None, "", {}, [])}


def _tokens_per_question(record: Mapping[str, Any]) -> float | None:
    """Return the mean length of replies in tokens, as lmms-eval counted them; None where it did not."""
    told = mapping(mapping(record, "efficiency"), "overall").get("avg_output_tokens_per_sample")
    return round(told, 1) if isinstance(told, int | float) and math.isfinite(told) else None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return without_paths(value)
    if isinstance(value, Mapping):
        return {str(key): _clean(each) for key, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list) else value
