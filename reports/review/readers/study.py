"""The questions of a reader study: which segments people are shown, cut as the models of some runs saw them.

A reader gets the frames of the runs' window protocol at its rate, the text of the question as it was sent, and
sound only where the models were played it; neither answers, truth, ids nor other questions of a recording together.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd

from semiology.data.cache import cache_directory, private_folder, written_whole
from semiology.data.media.clips import clip
from semiology.data.media.probe import MediaError
from semiology.data.windows.clips import EventClip
from semiology.data.windows.sliding import QWEN3, STANDARD, Segment
from semiology.features import AUDIO_FEATURES, FIRST_SEGMENT_ONLY
from semiology.render.text import counted
from semiology.reports.protected import scored_set
from semiology.reports.read.asked import NO_ENHANCEMENT
from semiology.reports.read.feature_answers import Results, read_results
from semiology.reports.read.lmms_eval_files import find_result_files, mapping
from semiology.reports.read.run_facts import sound_given
from semiology.reports.review.sheet import ReviewError

STUDY, CLIPS = "study.json", "clips"
FORMAT = "semiology reader study 1"
WINDOWS = {"standard": STANDARD, "qwen3": QWEN3}
"""The window protocols of runs, by the name that a run records."""
FRAME_ARGUMENTS = ("fps", "max_frames", "num_frames", "max_num_frames", "nframes", "max_frames_num")
KEPT = ("recording_set", "simulated", "recordings_protected", "window", "audio_segments")
"""What the record of a run says of its recordings, and the answers of readers to the same questions say too."""


@dataclass(frozen=True)
class Item:
    """One question about one segment.

    Attributes:
        item: id, which tells nothing of what it is about.
        feature, question, prompt_id, prompt_hash: what is asked, and the text as it was sent to models.
        video_id, patient_id, segment, start_s, end_s: about what, seconds from the first frame.
        truth: the annotation.
        fps: rate of the frames, per s. heard: whether there is sound.
    """

    item: str
    feature: str
    question: str
    prompt_id: str
    prompt_hash: str
    video_id: str
    patient_id: str
    segment: int
    start_s: float
    end_s: float
    truth: str
    fps: float
    heard: bool

    @property
    def clip(self) -> str:
        """Name of the file that shows it; questions about the same segment share it where they share the sound."""
        parts = [self.video_id, self.start_s, self.end_s, self.fps, self.heard]
        return f"{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}.mp4"


@dataclass(frozen=True)
class Study:
    """The questions of a reader study.

    Attributes:
        items: in the order of features and recordings; `order_of` mixes them for each reader.
        seed: of the draw and of the readers' orders.
        about: what the runs' record says of their recordings (`KEPT`), by feature.
        notes: what could not be asked, in sentences; not kept in the folder.
    """

    items: tuple[Item, ...]
    seed: int
    about: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...] = ()

    def order_of(self, reader: str) -> list[Item]:
        """Return the items in the order of one reader: by chance, the same whenever the reader comes back."""
        digest = hashlib.sha256(f"{self.seed}\n{reader}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        return [self.items[i] for i in rng.permutation(len(self.items))]


def draw_study(
    runs: Sequence[Path],
    features: Sequence[str],
    *,
    prompt: str | None = None,
    most: int | None = None,
    seed: int = 0,
) -> Study:
    """Draw recordings of some runs, with all their segments, as questions to readers.

    Args:
        runs: folders of results. features: those to ask about.
        prompt: the wording, where the runs asked in several.
        most: at most so many recordings, drawn at random, the same for every feature; None for all.
        seed: of the draw and of the orders.

    Raises:
        NoAnswersError: the runs hold no answers on features.
        ReviewError: the runs asked in several wordings, cut recordings differently, or nothing can be asked.
    """
    results = read_results(runs)
    notes: list[str] = []
    rows = _askable(results, features, prompt, notes)
    about = _protocols(runs, sorted(set(rows["feature"])), notes)
    videos = sorted(set(rows["video_id"]))
    if most is not None and most < len(videos):
        rng = np.random.default_rng(seed)
        videos = [videos[i] for i in np.sort(rng.choice(len(videos), most, replace=False))]
    rows = rows[rows["video_id"].isin(videos)]
    items = [
        _item(row, results.questions[str(row["prompt_hash"])], about[str(row["feature"])], seed)
        for row in rows.sort_values(["feature", "video_id", "segment"]).to_dict("records")
    ]
    if not items:
        told = " ".join(f"{note}." for note in notes)
        raise ReviewError(f"no question can be put to readers. {told} → give runs of feature tasks")
    kept = {name: {key: value for key, value in each.items() if key in KEPT} for name, each in about.items()}
    return Study(tuple(items), seed, kept, tuple(notes))


def write_study(study: Study, folder: Path, data: Path) -> tuple[Study, list[str]]:
    """Cut the clips and write the study into a folder that its owner alone may read.

    Clips that are there already are kept, so that a draw that was ended early goes on.

    Args:
        study: what is asked. folder: where. data: the recording set.

    Returns:
        The study without the recordings of which a clip could not be cut, and one sentence for each of these.

    Raises:
        ReviewError: the folder holds another study, or no clip could be cut.
        ValueError: the table of recordings has faults.
    """
    target, old = folder / STUDY, None
    if target.exists():
        old = read_study(folder)
    elif any(folder.glob("cases.json")):
        raise ReviewError(f"{folder}: holds a review of justifications → choose a new folder")
    # As for scores: the split `confirm` is withheld.
    videos = {r.video_id: r for r in scored_set(data, None).handed_out.recordings}
    private_folder(folder)
    private_folder(folder / CLIPS)
    faults: dict[str, str] = {}
    for item in _with_progress(study.items):
        if item.video_id in faults or (folder / CLIPS / item.clip).exists():
            continue
        recording = videos.get(item.video_id)
        if recording is None:
            faults[item.video_id] = f"is not in {data.name}, or of its split confirm, which is withheld"
        elif item.heard and recording.audio is not None:
            faults[item.video_id] = "has its sound in a file of its own, which readers cannot be played yet"
        else:
            try:
                _cut(recording.video, item, folder / CLIPS / item.clip)
            except (MediaError, OSError) as error:
                faults[item.video_id] = str(error)
    left = tuple(item for item in study.items if item.video_id not in faults)
    told = [f"{video}: {why} → left out" for video, why in sorted(faults.items())]
    if not left:
        raise ReviewError("no clip could be cut: " + "; ".join(told[:5]))
    made = Study(left, study.seed, study.about)
    if old is not None and (old.items, old.seed) != (made.items, made.seed):
        raise ReviewError(f"{folder}: holds another study → choose a new folder, so that no answer is lost")
    content = {
        "format": FORMAT,
        "seed": made.seed,
        "about": made.about,
        "items": [asdict(i) for i in made.items],
    }
    with written_whole(target) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return made, told


def is_study(folder: Path) -> bool:
    """Tell whether a folder holds a reader study rather than justifications to be rated."""
    return (folder / STUDY).is_file()


def read_study(folder: Path) -> Study:
    """Read the study of a folder.

    Raises:
        ReviewError: there is none, or the file is not ours.
    """
    path = folder / STUDY
    if not path.is_file():
        raise ReviewError(
            f"{path}: there is no such file → `semiology review export --protocol reader` draws one"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"of the format {content['format']!r}, not {FORMAT!r}")
        names = [field.name for field in fields(Item)]
        items = tuple(Item(**{name: each[name] for name in names}) for each in content["items"])
        return Study(items, int(content["seed"]), dict(content["about"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ReviewError(f"{path}: is no reader study ({error}) → export again") from error


def _askable(results: Results, features: Sequence[str], prompt: str | None, notes: list[str]) -> pd.DataFrame:
    """Return one row per segment and feature that models were asked about without enhancement."""
    rows = results.answers[results.answers["feature"].isin(features)]
    plain = rows[rows["enhancement"] == NO_ENHANCEMENT]
    if len(plain) < len(rows):
        notes.append("answers with an enhancement are left out: readers see the recordings themselves")
    if prompt is not None:
        known = sorted({*plain["prompt"], *plain["prompt_id"]})
        plain = plain[(plain["prompt"] == prompt) | (plain["prompt_id"] == prompt)]
        if plain.empty:
            raise ReviewError(f"--prompt {prompt}: the runs did not ask so → use one of {', '.join(known)}")
    for feature, group in plain.groupby("feature", sort=True):
        texts = sorted(set(group["prompt"]))
        if group["prompt_hash"].nunique() > 1:
            raise ReviewError(
                f"the runs asked about {feature} in {len(texts)} wordings ({', '.join(texts)}) → choose one by --prompt"
            )
        if str(group["prompt_hash"].iloc[0]) not in results.questions:
            notes.append(f"{feature}: the text of the question is not in the sample files → left out")
            plain = plain[plain["feature"] != feature]
    first = plain["feature"].isin(FIRST_SEGMENT_ONLY)
    plain = plain[~first | (plain["segment"] == 0)]
    same = plain.groupby(["video_id", "feature", "segment"])
    for name, what in (("start_s", "windows"), ("end_s", "windows"), ("truth", "annotations")):
        if bool((same[name].nunique(dropna=False) > 1).any()):
            raise ReviewError(f"the runs have different {what} of one recording → give runs of one kind only")
    return plain.drop_duplicates(["video_id", "feature", "segment"])


def _protocols(runs: Sequence[Path], features: Sequence[str], notes: list[str]) -> dict[str, dict[str, Any]]:
    """Return what the records of runs say of each feature, and under ``heard`` whether there was sound."""
    found: dict[str, list[dict[str, Any]]] = {}
    for run in find_result_files(runs, []):
        changed = [f"{name}={run.settings[name]}" for name in FRAME_ARGUMENTS if name in run.settings]
        if changed:
            notes.append(
                f"{run.model} was run with {', '.join(changed)}: readers see the frames of the protocol"
            )
        configs = mapping(run.record, "configs")
        for task in configs:
            config = mapping(configs, task)
            described = mapping(config, "metadata")
            feature = str(task).rsplit("semiology_", 1)[-1]
            if described.get("window") and feature in features and "enhancement" not in described:
                sound = sound_given(config, str(mapping(run.record, "config").get("model")))
                heard = feature in AUDIO_FEATURES and (sound or "none") != "none"
                found.setdefault(feature, []).append({**described, "heard": heard})
    absent = [feature for feature in features if feature not in found]
    if absent:
        raise ReviewError(
            f"the results files do not tell which windows were shown for {', '.join(absent)} → run with this version"
        )
    for feature, several in found.items():
        for name, what in (
            ("window", "windows"),
            ("heard", "sound"),
            ("audio_segments", "segments of sound"),
        ):
            if len({str(each.get(name)) for each in several}) > 1:
                raise ReviewError(f"the runs differ in {what} for {feature} → give runs of one kind only")
    return {feature: several[0] for feature, several in found.items()}


def _item(row: Mapping[Any, Any], question: str, about: Mapping[str, Any], seed: int) -> Item:
    window = WINDOWS.get(str(about["window"]))
    if window is None:
        raise ReviewError(f"window {about['window']!r} is unknown → use one of {', '.join(WINDOWS)}")
    names = ("feature", "prompt_id", "prompt_hash", "video_id", "patient_id", "truth")
    start, end = float(row["start_s"]), float(row["end_s"])
    if not math.isfinite(start) or not start < end:
        raise ReviewError(f"{row['video_id']}: its segments have no times → run again with this version")
    segment = Segment(int(row["segment"]), start, end)
    parts = [seed, *(row[name] for name in names), segment.index]
    return Item(
        item=f"q{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]}",
        question=question,
        segment=segment.index,
        start_s=start,
        end_s=end,
        fps=EventClip(window.fps, window.max_frames).rate(segment),
        heard=bool(about["heard"]),
        **{name: str(row[name]) for name in names},
    )


def _cut(video: Path, item: Item, target: Path) -> None:
    """Write the frames of an item, with sound only where models heard it."""
    made = clip(video, item.start_s, item.end_s, item.fps, cache_directory() / "clips")
    with written_whole(target) as part:
        if item.heard:
            part.write_bytes(made.read_bytes())
            return
        with av.open(str(made)) as source, av.open(str(part), "w", format="mp4") as out:
            pictures = source.streams.video[0]
            stream = out.add_stream_from_template(pictures)
            for packet in source.demux(pictures):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)


def _with_progress(items: Sequence[Item]) -> Any:
    from tqdm import tqdm

    return tqdm(
        items, desc=f"Clips of {counted(len({i.video_id for i in items}), 'recording')}", unit="question"
    )
