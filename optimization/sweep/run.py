"""``semiology sweep``: the plan, a probe, the run by ``semiology run``, the robustness tables.

The plan with the margin of equivalence lies in the sweep's folder before the first answer is seen; a folder
takes the answers of one plan only, of as many models as are asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from semiology.features import AUDIO_FEATURES
from semiology.harness.asking import Probe, ProbeResult
from semiology.harness.run import RunError, check_names, choose_recordings, resolve_model, run
from semiology.optimization.sweep.options import SweepOptions
from semiology.optimization.sweep.plan import (
    PROBE_WINDOWS,
    SweepPlan,
    Window,
    make_sweep_plan,
    plan_summary,
    probe,
)
from semiology.render.text import counted
from semiology.reports.read.feature_answers import read_results
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.summary.sweep import SWEEP_RECORD, SweepSummary, margin_of, summarise_sweeps
from semiology.settings import DATA, SWEEP_ENHANCEMENTS, SWEEP_FORMATS, SWEEP_PROMPTS, WINDOW
from semiology.tasks.documents import rows_of
from semiology.tasks.plan import current_plan, write_private
from semiology.tasks.settings import cache_directory, read_settings, window_for_model
from semiology.tasks.sweep.wordings import (
    ALL,
    NO_ENHANCEMENT,
)
from semiology.tasks.task_list import FeatureTask


class SweepStopped(Exception):
    """The user wanted to know how long it takes, and no more."""


class SweepError(RuntimeError):
    """A sweep cannot go on in this folder; the message says what to do."""


def plan_sweep(options: SweepOptions) -> SweepPlan:
    """Return the plan; the settings that the tasks read are set on the way.

    Raises:
        SettingsError: an unknown name, nothing to ask, or derived media that are not made yet.
        RecordingSetError: the recording set has faults.
    """
    model, model_args = resolve_model(options.model, options.model_args)
    check_names(model, "semiology", model_args, options.window)
    DATA.choose(str(options.data))
    WINDOW.choose(options.window or window_for_model(model, model_args))
    choose_recordings(options)
    crossed = {
        name: tuple(dict.fromkeys(getattr(options, name))) for name in ("prompts", "formats", "enhancements")
    }
    SWEEP_PROMPTS.choose(",".join(options.prompts))
    SWEEP_FORMATS.choose(",".join(options.formats))
    SWEEP_ENHANCEMENTS.choose(",".join(options.enhancements))
    settings = read_settings()
    plan = make_sweep_plan(
        current_plan(settings),
        None if ALL in options.features else options.features,
        **crossed,
        window_name=settings.window_name,
        margin=options.margin,
    )
    for each in plan.features:
        if each.enhancement != NO_ENHANCEMENT:  # refused before a model is loaded if they are not made yet
            rows_of(each.feature, each.enhancement, each.selection, settings)
    return plan


def claim_folder(
    out: Path,
    summary: Mapping[str, Any],
    told: Sequence[str] = ("recording_set", "window", "margin", "features"),
) -> None:
    """Write the plan into the folder, or see that the same one lies there.

    Args:
        summary: of the plan, with its ``fingerprint``. told: the parts of it that are named where they differ.

    Raises:
        SweepError: the folder holds another sweep; what differs is named. Or it cannot be written.
    """
    file = out / SWEEP_RECORD
    try:
        if not file.exists():
            write_private(file, json.dumps(summary, indent=2) + "\n")
            return
    except OSError as error:
        raise SweepError(f"--out {out}: cannot be written ({error.strerror}) → give another folder") from None
    try:
        there = dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, OSError):
        raise SweepError(
            f"{file}: the plan of the sweep cannot be read → give another --out, or restore it from a copy"
        ) from None
    if there.get("fingerprint") != summary["fingerprint"]:
        different = [name for name in told if there.get(name) != summary[name]] or ["the texts of wordings"]
        raise SweepError(
            f"{out} holds a sweep with another plan (different: {', '.join(different)}) → give another "
            "--out, so that a plan fixed beforehand stays fixed"
        )


def run_sweep(
    options: SweepOptions, plan: SweepPlan, told: Callable[[ProbeResult], None], *, with_probe: bool = True
) -> SweepSummary | None:
    """Ask all questions of a plan and return the robustness of every model in the folder.

    Args:
        plan: of `plan_sweep` for the same options.
        told: hears what the probe took; may raise `SweepStopped`.
        with_probe: whether a few windows are asked first, to tell how long the rest will take.

    Returns:
        None if ``told`` stopped the sweep after the probe; its answers are kept.

    Raises:
        RunError: the run ended without results.
        SweepError: the folder holds another sweep.
    """
    claim_folder(options.out, plan_summary(plan))
    first = {request.window for request in probe(plan, PROBE_WINDOWS)} if with_probe else set()
    tasks = dict.fromkeys(FeatureTask(each.feature, sweep=True).name for each in plan.features)
    try:
        run(
            replace(options, tasks=",".join(tasks)),
            journal=cache_directory() / "sweep_journal",
            probe=Probe(first, _window_of, told) if first else None,
        )
    except SweepStopped:
        return None
    return sweep_summary_of(options.out)


def sweep_summary_of(out: Path) -> SweepSummary:
    """Return the robustness of every model whose answers lie in a sweep's folder.

    Raises:
        RunError: there are none that can be compared.
    """
    try:
        return summarise_sweeps(read_results([out]), margin=margin_of([out]))
    except ResultsError as error:
        raise RunError(str(error)) from None


def estimate_line(windows: int, found: ProbeResult) -> str:
    """Return a sentence on how long a sweep over so many windows takes, from its probe.

    Every window of the probe was asked about with all its questions, so that the time for the windows that
    are left is that of the probe times their number, whatever the model shares between questions.
    """
    from semiology.render.progress import clock

    probed = f"{counted(found.windows, 'segment')} with {counted(found.questions, 'question')}"
    took = f"{probed} took {found.seconds:.1f} s"
    if found.known:
        return f"{took}; {found.known} of the answers were there from an earlier run, so no time can be told"
    if found.resumed:
        most = clock(found.seconds / found.windows * windows)
        return f"{took}: at most about {most} to go, less what an earlier run answered of {counted(windows, 'segment')}"
    total = found.seconds / found.windows * windows
    left = total - found.seconds
    whole = counted(windows, "segment")
    return f"{took}: about {clock(total)} for {whole}, {clock(left)} of it to go"


def _window_of(document: Mapping[str, Any]) -> Window:
    hear = document["feature"] in AUDIO_FEATURES
    return Window(document["video_id"], int(document["segment"]), document["enhancement"], hear)
