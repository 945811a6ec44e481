"""Time simulated recordings, enhancements, scores of a run and robustness tables; processor time and memory.

    python benchmarks/speed.py [PART ...] [--duration SECONDS]

``simulation``   three recordings per size (pictures, H.264, sound) on one core, 30 s each;
``enhancement``  pose overlay and face crop at 720p, 120 s; keypoints come from files, no estimator is timed;
``scores``       2,000 patient resamples of 20 features on 438 recordings of 116 patients;
``robustness``   the same sizes: ten models with 12 wordings, then one model with 40, random answers.

Each part runs in a process of its own on one thread. Multiples are of real time: 2 x is twice as fast. On a busy
machine the wall time says nothing, and even the processor time is too long, as jobs share caches and the units
of a core.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from measuring import CONSOLE, Clock, in_own_process, parser, peak_mib

from semiology.features import AUDIO_FEATURES, FEATURES, FEATURES_BY_GROUP, VISUAL_FEATURES

FPS = 30
PATIENTS, RECORDINGS, SEGMENTS, RESAMPLES = 116, 438, 5, 2000


def drawn(seed: int, duration_s: float) -> Any:
    """Return the script of one simulated recording."""
    from semiology.data.simulated.script.script import draw_look, draw_script

    rng = np.random.default_rng([2026, seed])
    return draw_script(rng, duration_s, draw_look(rng))


def simulation(duration_s: float = 30) -> None:
    """Time the writing of simulated recordings."""
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


def enhancement(duration_s: float = 120) -> None:
    """Time pose overlay and face crop on a simulated 720p recording with its keypoints."""
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


def scores() -> None:
    """Time aggregation and scoring of one run."""
    from semiology.metrics.scores.aggregation import recording_answers
    from semiology.metrics.scores.run_scores import score_run

    segments = simulated_segments()
    groups = {"visual": VISUAL_FEATURES, **FEATURES_BY_GROUP, "audio": AUDIO_FEATURES, "all": FEATURES}
    with Clock() as aggregating:
        recordings = recording_answers(segments)
    with Clock() as scoring:
        score_run(recordings, FEATURES, groups, resamples=RESAMPLES)
    CONSOLE.print(f"aggregation of {len(segments):,} segment answers: {aggregating.wall:.2f} s")
    CONSOLE.print(
        f"{RESAMPLES:,} resamples of {len(FEATURES)} features x {RECORDINGS} recordings: {scoring.wall:.2f} s"
    )
    CONSOLE.print(f"peak memory {peak_mib():.0f} MiB")


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


def robustness() -> None:
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


PARTS = {"simulation": simulation, "enhancement": enhancement, "scores": scores, "robustness": robustness}


def main() -> None:
    """Run the parts that are named, or all."""
    options = parser(__doc__)
    options.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; default: all")
    options.add_argument("--duration", type=float, help="length of each recording, s, 30 or more")
    given = options.parse_args()
    for name in given.parts or PARTS:
        if name not in PARTS:
            options.error(f"{name}: name some of {', '.join(PARTS)}")
        timed = name in ("simulation", "enhancement") and given.duration is not None
        in_own_process(PARTS[name], *([given.duration] if timed else []))


if __name__ == "__main__":
    main()
