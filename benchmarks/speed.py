"""Time what the package does: processor time, wall time and memory.

    python benchmarks/speed.py [PART ...] [--duration SECONDS]
    python benchmarks/speed.py report --wordings 7 --segments 3 --filters
    python benchmarks/speed.py sweep --segments 6

``simulation``   three recordings per size (pictures, H.264, sound) on one core, 30 s each;
``enhancement``  pose overlay and face crop at 720p, 120 s; keypoints come from files, no estimator is timed;
``scores``       all scores, intervals and tests of 20 features on 438 recordings of 116 patients;
``many``         100,000 recordings of two features: scores of a run, of its P(yes), and the comparison with another;
``robustness``   the same sizes: ten models with 12 wordings, then one model with 40, random answers;
``report``       random answers of 11 models in the files that lmms-eval writes (with 7 wordings and 3 segments two
                 million sample rows); ``--filters`` also opens the page in Debian's Chromium and times every filter;
``sweep``        what a sweep of 20 features, 10 wordings and 60 segments costs beyond its model: the embedded one
                 answers through ``semiology_hf``, and its time is that of the calls of ``generate_until``. Loading
                 libraries and weights is shown apart: it does not grow with the sweep.

Without a name the first four run. Each part runs in a process of its own on one thread. Multiples are of real time:
2 x is twice as fast. On a busy machine the wall time says nothing, and even the processor time is too long, as jobs
share caches and the units of a core.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from measuring import CONSOLE, Clock, in_own_process, parser, peak_mib

from semiology.features import AUDIO_FEATURES, FEATURES, FEATURES_BY_GROUP, VISUAL_FEATURES
from semiology.prompts.library import load_library, prompt_hash, render

FPS = 30
MANY, SURE = 100_000, ["video_id", "feature", "p_yes"]
PATIENTS, RECORDINGS, SEGMENTS, RESAMPLES = 116, 438, 5, 2000


def drawn(seed: int, duration_s: float) -> Any:
    """Return the script of one simulated recording."""
    from semiology.data.simulated.script.script import draw_look, draw_script

    rng = np.random.default_rng([2026, seed])
    return draw_script(rng, duration_s, draw_look(rng))


def simulation(given: argparse.Namespace) -> None:
    """Time the writing of simulated recordings."""
    duration_s = given.duration or 30
    import cv2

    from semiology.data.simulated.picture.pose_truth import write_pose
    from semiology.data.simulated.write import write_video

    cv2.setNumThreads(1)
    scripts = [drawn(seed, duration_s) for seed in range(3)]
    seconds = duration_s * len(scripts)
    for size in ((640, 480), (1280, 720)):
        with TemporaryDirectory() as folder:
            with Clock() as video:
                for index, script in enumerate(scripts):
                    write_video(Path(folder) / f"{index}.mp4", script, size, FPS)
            with Clock() as pose:
                for index, script in enumerate(scripts):
                    write_pose(Path(folder), f"v{index}", script, size, FPS)
            length = sum(path.stat().st_size for path in Path(folder).glob("*.mp4"))
        CONSOLE.print(
            f"{size[0]}x{size[1]}, {FPS} fps, {seconds:g} s of video: "
            f"{seconds / video.processor:.2f} x real time per core by CPU time, "
            f"{seconds / video.wall:.2f} x by wall time, {length / seconds / 1e6 * 8:.2f} Mbit/s; "
            f"keypoints and face boxes {seconds / pose.processor:.0f} x"
        )


def enhancement(given: argparse.Namespace) -> None:
    """Time pose overlay and face crop on a simulated 720p recording with its keypoints."""
    duration_s = given.duration or 120
    with TemporaryDirectory() as name:
        in_own_process(_make_recording, Path(name), duration_s)
        for step in ("pose", "crop"):
            in_own_process(_enhance, Path(name), step, duration_s)


def _make_recording(folder: Path, duration_s: float) -> None:
    from semiology.data.simulated.picture.pose_truth import write_pose
    from semiology.data.simulated.write import write_video

    script = drawn(6, duration_s)
    write_video(folder / "v.mp4", script, (1280, 720), FPS)
    write_pose(folder, "v", script, (1280, 720), FPS)


def _enhance(folder: Path, name: str, duration_s: float) -> None:
    import cv2

    from semiology.data.recording_set import Recording
    from semiology.enhancements.face.crop import FaceCrop
    from semiology.enhancements.pose.overlay import PoseOverlay

    cv2.setNumThreads(1)
    step = PoseOverlay() if name == "pose" else FaceCrop()
    recording = Recording("v", "p", folder / "v.mp4", pose=folder / "pose" / "v")
    target = folder / f"{name}.mp4"
    with Clock() as clock:
        outcome = step.apply(recording, target, None)
    CONSOLE.print(
        f"{name}: {duration_s / clock.processor:.1f} x real time by CPU time, {duration_s / clock.wall:.1f} x "
        f"by wall time, peak {peak_mib():.0f} MiB, {target.stat().st_size * 8e-6 / duration_s:.2f} Mbit/s "
        f"({outcome.sentence})"
    )


def simulated_segments(seed: int = 0) -> pd.DataFrame:
    """Return random segment answers of every recording and feature (43,800 rows)."""
    rng = np.random.default_rng(seed)
    patient = _patients(rng)
    recording, feature, segment = np.meshgrid(
        np.arange(RECORDINGS), np.arange(len(FEATURES)), np.arange(SEGMENTS), indexing="ij"
    )
    truth = rng.choice(["yes", "no"], (RECORDINGS, len(FEATURES)), p=[0.3, 0.7])
    answer = rng.choice(["yes", "no", "unparsed"], recording.size, p=[0.2, 0.78, 0.02])
    return pd.DataFrame(
        {
            "video_id": np.char.add("v", recording.ravel().astype(str)),
            "patient_id": np.char.add("p", patient[recording.ravel()].astype(str)),
            "feature": np.array(FEATURES)[feature.ravel()],
            "segment": segment.ravel(),
            "answer": answer,
            "truth": truth[recording.ravel(), feature.ravel()],
        }
    )


def _patients(rng: np.random.Generator) -> Any:
    """Return the patient of each recording; every patient has one at least."""
    return np.sort(np.r_[np.arange(PATIENTS), rng.integers(0, PATIENTS, RECORDINGS - PATIENTS)])


def scores(_: argparse.Namespace) -> None:
    """Time aggregation and scoring of one run."""
    from semiology.metrics.scores.aggregation import recording_answers
    from semiology.metrics.scores.run_scores import score_run

    segments = simulated_segments()
    groups = {"visual": VISUAL_FEATURES, **FEATURES_BY_GROUP, "audio": AUDIO_FEATURES, "all": FEATURES}
    with Clock() as aggregating:
        recordings = recording_answers(segments)
    with Clock() as scoring:
        score_run(recordings, FEATURES, groups)
    CONSOLE.print(f"aggregation of {len(segments):,} segment answers: {aggregating.wall:.2f} s")
    CONSOLE.print(f"scores of {len(FEATURES)} features x {RECORDINGS} recordings: {scoring.wall:.2f} s")
    CONSOLE.print(f"peak memory {peak_mib():.0f} MiB")


def many(_: argparse.Namespace) -> None:
    """Time what a report and a comparison compute over very many recordings, with P(yes)."""
    from semiology.reports.compare.comparison import Options, compare_conditions
    from semiology.reports.compare.sides import ANSWER_COLUMNS, Condition
    from semiology.reports.read.feature_answers import COLUMNS, Results
    from semiology.reports.summary.features import summarise
    from semiology.reports.summary.probabilities import probability_summaries

    rng = np.random.default_rng(0)
    frames = []
    for feature in ("tonic", "clonic"):
        truth = rng.random(MANY) < 0.3
        frame = pd.DataFrame({"video_id": [f"v{i:06d}" for i in range(MANY)], "feature": feature})
        frames.append(
            frame.assign(
                patient_id=[f"p{i // 4:05d}" for i in range(MANY)],
                truth=np.where(truth, "yes", "no"),
                p_yes=np.clip(0.6 * rng.random(MANY) + 0.25 * truth, 0, 1),
            )
        )
    first = pd.concat(frames, ignore_index=True)
    sides = []
    for model, noise in (("a", 0.0), ("b", 0.1)):
        p = np.clip(first["p_yes"] + noise * rng.normal(size=len(first)), 0, 1)
        sides.append(first.assign(model=model, p_yes=p, answer=np.where(p > 0.5, "yes", "no")))
    told = {"enhancement": "none", "prompt_id": "s3", "prompt_hash": "h", "prompt": "s3", "segment": 0}
    results = Results(sides[0].assign(**told).reindex(columns=[*COLUMNS, "prompt"]), (), (), {})
    conditions = [
        Condition(str(side["model"].iloc[0]), "s3", "none", side[list(ANSWER_COLUMNS)], certainty=side[SURE])
        for side in sides
    ]
    for name, part in (
        ("scores", lambda: summarise(results)),
        ("P(yes)", lambda: probability_summaries(results)),
        ("comparison", lambda: compare_conditions(*conditions, Options())),
    ):
        with Clock() as clock:
            part()
        shown = f"{clock.wall:.1f} s, processor {clock.processor:.1f} s, peak memory {peak_mib():.0f} MiB"
        CONSOLE.print(f"{name} of {MANY:,} recordings x 2 features: {shown}")


def random_answers(feature: str, wordings: int, rng: np.random.Generator) -> Any:
    """Return random answers, three quarters of them right, with probabilities and a negative wording."""
    from semiology.metrics.robustness.answers import WordingAnswers
    from semiology.metrics.scores.counts import NO, UNPARSED, YES

    patient = _patients(rng)
    truth = np.where(rng.random(RECORDINGS) < 0.3, YES, NO)
    shape = (wordings, RECORDINGS)
    answers = np.where(rng.random(shape) < 0.75, truth, 1 - truth)
    answers[rng.random(shape) < 0.02] = UNPARSED
    return WordingAnswers(
        feature=feature,
        wordings=tuple(f"w{i}" for i in range(wordings)),
        families=tuple(f"family {i % 6}" for i in range(wordings)),
        polarities=("positive",) * (wordings - 1) + ("negative",),
        reference=0,
        recordings=tuple(f"v{i}" for i in range(RECORDINGS)),
        patients=tuple(f"p{i:03}" for i in range(PATIENTS)),
        patient=patient,
        truth=truth,
        answers=answers,
        p_yes=rng.random(shape),
    )


def robustness(_: argparse.Namespace) -> None:
    """Time the robustness tables."""
    from semiology.metrics.robustness.scores import robustness_of
    from semiology.metrics.robustness.variance import wording_permutation_test

    rng = np.random.default_rng(0)
    for models, wordings in ((10, 12), (1, 40)):
        clock = Clock()
        for _ in range(models):
            answers = [random_answers(feature, wordings, rng) for feature in FEATURES]
            with clock:
                robustness_of(answers, resamples=RESAMPLES)
                for each in answers:
                    wording_permutation_test(each.right, each.patient, permutations=RESAMPLES)
        CONSOLE.print(
            f"{models} models x {len(FEATURES)} features x {wordings} wordings x {RECORDINGS} recordings, "
            f"{RESAMPLES:,} resamples and permutations: {clock.processor:.1f} s of processor time, "
            f"{clock.wall:.1f} s by the clock, peak memory {peak_mib():.0f} MiB"
        )


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


def report(given: argparse.Namespace) -> None:
    """Time the report: reading and tabulating, and all of it, in processes of their own."""
    segments, semiology = given.segments or 1, str(Path(sys.executable).parent / "semiology")
    shape = argparse.Namespace(**{**vars(given), "segments": segments})
    with TemporaryDirectory() as folder:
        work = Path(folder)
        size = write_runs(work / "runs", shape)
        found: dict[str, Any] = {
            "rows": shape.models * len(FEATURES) * shape.recordings * segments * shape.wordings,
            "files_MB": round(size / 1e6),
            "read and tabulated": timed([sys.executable, "-c", TABULATE, str(work / "runs")]),
            "whole report": timed([semiology, "report", str(work / "runs"), "--out", str(work / "out")]),
        }
        page = work / "out" / "report.html"
        found["page_MB"] = round(page.stat().st_size / 1e6, 2)
        if shape.filters:
            found["filters_ms"] = filter_times(page)
    CONSOLE.print(json.dumps(found, indent=2))


WORDINGS = (
    "s3", "minimal", "clinical_term", "definition", "layperson", "role", "step_by_step_look", "paraphrase",
    "body_part", "duration",
)  # fmt: skip


def sweep_times(data: Path, work: Path) -> dict[str, Any]:
    """Run the sweep in this process and return its times, seconds."""
    from semiology.backends.semiology_hf import SemiologyHF
    from semiology.optimization.sweep import run as sweep_run
    from semiology.optimization.sweep.options import SweepOptions
    from semiology.reports.tables.sweep import write_sweep_files

    model, loading, tables = Clock(), Clock(), Clock()
    SemiologyHF.generate_until = model(SemiologyHF.generate_until)  # type: ignore[method-assign]
    SemiologyHF.__init__ = loading(SemiologyHF.__init__)  # type: ignore[method-assign]
    sweep_run.sweep_summary_of = tables(sweep_run.sweep_summary_of)
    # Imported before the clock starts: libraries load in the same time for any sweep.
    import lmms_eval.__main__  # noqa: F401

    options = SweepOptions("embedded", "", data, work / "out", prompts=WORDINGS)
    with Clock() as whole:
        plan = sweep_run.plan_sweep(options)
        with contextlib.redirect_stdout(sys.stderr):
            summary = sweep_run.run_sweep(options, plan, lambda found: None)
        assert summary is not None
        tables(write_sweep_files)(summary, work / "out" / "report")
    processor = whole.processor - loading.processor
    return {
        "features": len(plan.features),
        "segments": len({(window.video_id, window.segment) for window in plan.windows}),
        "requests": plan.n_requests,
        "processor_s": {
            "model": round(model.processor, 1),
            "tables": round(tables.processor, 1),
            "rest": round(processor - model.processor - tables.processor, 1),
            "loading, not counted": round(loading.processor, 1),
        },
        "wall_s": round(whole.wall - loading.wall, 1),
        "times_the_model": round(processor / model.processor, 3),
    }


def sweep(given: argparse.Namespace) -> None:
    """Time a sweep of simulated recordings of two segments each: 30 s and what remains of 52 s."""
    from semiology.data.simulated import simulate

    with TemporaryDirectory() as folder:
        work = Path(folder)
        os.environ["SEMIOLOGY_CACHE"] = str(work / "cache")
        simulate(work / "set", patients=(given.segments or 60) // 2, seed=11, recordings_per_patient=1,
                 duration_s=(52.0, 54.0), size=(320, 240), fps=15, workers=1)  # fmt: skip
        CONSOLE.print(json.dumps(sweep_times(work / "set", work), indent=2))


PARTS = {
    "simulation": simulation, "enhancement": enhancement, "scores": scores, "robustness": robustness,
    "report": report, "sweep": sweep, "many": many,
}  # fmt: skip
DEFAULT = ("simulation", "enhancement", "scores", "robustness")


def main() -> None:
    """Run the parts that are named, or the default ones."""
    options = parser(__doc__)
    options.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; default: the first four"
    )
    options.add_argument("--duration", type=float, help="length of each recording, s, 30 or more")
    options.add_argument(
        "--segments", type=int, help="of each recording of the report (1), of the sweep (60)"
    )
    for name, default in (("models", 11), ("recordings", 438), ("wordings", 1)):
        options.add_argument(f"--{name}", type=int, default=default, help="of the report")
    options.add_argument("--filters", action="store_true", help="time the page's filters in Chromium")
    given = options.parse_args()
    if unknown := [name for name in given.parts if name not in PARTS]:
        options.error(f"{unknown[0]}: name some of {', '.join(PARTS)}")
    fewest = min(len(load_library().feature(feature).prompts) for feature in FEATURES)
    if not 1 <= given.wordings <= fewest:
        options.error(f"--wordings {given.wordings}: the library has {fewest} of every feature")
    for name in given.parts or DEFAULT:
        in_own_process(PARTS[name], given)


if __name__ == "__main__":
    main()
