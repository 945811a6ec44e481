"""The lmms-eval model ``semiology_state_machine``: asks any other model class about a hand, step by step.

``--model semiology_state_machine --model_args base=qwen2_5_vl,base_args=pretrained=X;max_num_frames=4,pose_files=DIR``
answers the primitive and counting tasks with primitives of its own: it reads the hand from each question's row and
ignores the question. Every switch of the published ablations is an argument. Questions of other tasks go to the base.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from lmms_eval.api.instance import GenerationResult, Instance, TokenCounts
from loguru import logger

from semiology.backends.generation_only import GenerationOnly
from semiology.data.cache import cache_directory, private_folder
from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, timeline
from semiology.data.recording_set import Recording
from semiology.enhancements.pose.keypoints import KeypointsError, KeypointSource
from semiology.enhancements.pose.live_pose import LivePose
from semiology.enhancements.pose.openpose_files import OpenPoseFiles
from semiology.harness.asking import ask_documents, load_model
from semiology.harness.state_machine.crop_film import write_crop
from semiology.harness.state_machine.hand_track import (
    HandTrack,
    Movement,
    crops,
    hand_track,
    in_words,
    largest_box,
    movement,
)
from semiology.metrics.strokerehab.replies import read_yes_no, state_machine_reply
from semiology.metrics.strokerehab.state_machine import (
    WindowState,
    with_postprocessing,
    without_postprocessing,
)
from semiology.prompts.strokerehab_library import load_rehab_library
from semiology.tasks.strokerehab.messages import doc_to_messages, doc_to_text, doc_to_visual
from semiology.tasks.strokerehab.reading import said

PARTS = ("primitives", "counting")
Document = Mapping[str, Any]


@dataclass
class _Film:
    """One film: its windows, where its hand is, and the states found so far."""

    windows: list[Document]
    track: HandTrack
    size: tuple[int, int]
    fps: float
    moves: list[Movement] = field(default_factory=list)
    active: list[bool] = field(default_factory=list)
    states: list[WindowState] = field(default_factory=list)


class StateMachine(GenerationOnly):
    """An lmms-eval chat model around another.

    Args:
        base: lmms-eval model class that is asked.
        base_args: its arguments, ``key=value`` separated by ``;``.
        do_crop: show a square of 224 px around the hand; else whole frames, and questions that name the hand.
        do_postprocess: smooth, resolve, and put borders between rest and holding.
        do_locate: ask the base for the person's box on the first window; else the largest person is taken.
        pose_files: folder with a sub-folder of OpenPose files for each video id.
        pose_weights, pose_person_weights, pose_mode: of the live estimator (`semiology.enhancements.pose.live_pose`).
        confidence: a hand less sure than this in the first or last frame is not judged: at rest and empty.
        source: keypoint source for callers in Python; takes the place of the pose arguments.
        lm: a loaded model for callers in Python, instead of ``base``.
        batch_size, max_batch_size, device: accepted because lmms-eval passes them; without effect.

    Raises:
        ValueError: neither keypoint files nor an estimator is named, or the base cannot be loaded.
    """

    is_simple = False

    def __init__(
        self,
        base: str = "semiology_hf",
        base_args: str = "",
        do_crop: bool = True,
        do_postprocess: bool = True,
        do_locate: bool = True,
        pose_files: str | None = None,
        pose_weights: str | None = None,
        pose_person_weights: str | None = None,
        pose_mode: str | None = None,
        confidence: float = 0.90,
        source: KeypointSource | None = None,
        lm: Any = None,
        batch_size: int | str = 1,
        max_batch_size: int | None = None,
        device: str | None = None,
    ) -> None:
        super().__init__()
        del batch_size, max_batch_size, device
        self.pose_folder = Path(pose_files).expanduser() if pose_files else None
        if source is None and self.pose_folder is None and not (pose_weights or pose_mode):
            raise ValueError(
                "semiology_state_machine needs keypoints → name pose_files=DIR (OpenPose's files, a folder per video "
                "id), pose_weights=FILE.onnx or pose_mode=balanced"
            )
        live = LivePose(
            weights=Path(pose_weights) if pose_weights else None,
            person_weights=Path(pose_person_weights) if pose_person_weights else None,
            mode=pose_mode,  # type: ignore[arg-type]
        )
        self.source = source or (OpenPoseFiles() if self.pose_folder else live)
        self.lm = lm if lm is not None else load_model(base, base_args.replace(";", ","), setting="base")
        self.do_crop, self.do_postprocess, self.do_locate = (
            bool(do_crop),
            bool(do_postprocess),
            bool(do_locate),
        )
        self.confidence = float(confidence)
        self.wording = "cropped" if self.do_crop else "reference"
        self.moves: Counter[str] = Counter()

    def generate_until(self, requests: list[Instance]) -> list[GenerationResult]:
        """Return the primitives of every window for requests of primitive tasks, the base's replies for others."""
        documents = [
            self.task_dict[task][split][number] for *_, number, task, split in (r.args for r in requests)
        ]
        ours = [place for place, document in enumerate(documents) if document.get("part") in PARTS]
        replies: dict[int, str] = {}
        by_video: dict[str, list[int]] = defaultdict(list)
        for place in ours:
            by_video[documents[place]["video_id"]].append(place)
        films = {}
        for video, places in by_video.items():
            windows = {documents[place]["window"]: documents[place] for place in places}
            films[video] = self._film(video, [windows[number] for number in sorted(windows)])
        self._judge([film for film in films.values() if film])
        for video, places in by_video.items():
            film = films[video]
            words = self._words(film) if film else {}
            for place in places:
                replies[place] = state_machine_reply(words.get(documents[place]["window"], ["idle"]))
        others = [place for place in range(len(documents)) if place not in replies]
        if others:
            asked = self._ask([documents[place] for place in others], {}, 512)
            replies |= dict(zip(others, asked, strict=True))
        logger.info(f"semiology_state_machine: windows by movement: {in_words(self.moves)}")
        return [
            GenerationResult(text=replies[place], token_counts=TokenCounts(output_tokens=1))
            for place in range(len(documents))
        ]

    def _film(self, video: str, windows: list[Document]) -> _Film | None:
        """Find the hand of a film; None, and told, where there are no keypoints: every window is then idle."""
        first = windows[0]
        path = Path(first["video"])
        try:
            line = timeline(path)
            pose = self.pose_folder / video if self.pose_folder else None
            found = self.source.detect(Recording(video, first["subject"], path, pose=pose), line, None)
        except (KeypointsError, MediaError) as error:
            logger.warning(f"{video}: no hand can be found ({error}) → all of its windows count as idle")
            return None
        box = largest_box(self._ask([first], {"person": "reference"}, 256)[0]) if self.do_locate else None
        track = hand_track(found, str(first["hand"]).lower(), box)
        film = _Film(windows, track, (line.info.width, line.info.height), line.info.fps)
        for window in windows:
            places, confidence = track.at(self._numbers(window))
            film.moves.append(movement(places, confidence, least=self.confidence))
        self.moves.update(film.moves)
        return film

    def _numbers(self, window: Document) -> list[int]:
        """Return the frames that a window shows."""
        fps = window["fps"]
        first, last = round(window["clip_start_s"] * fps), round(window["show_end_s"] * fps - 0.25)
        numbers: list[int] = np.linspace(first, last, window["frames"]).round().astype(int).tolist()
        return numbers

    def _judge(self, films: Sequence[_Film]) -> None:
        """Ask whether each hand rests, all windows at once, then what it holds, one window of every film at a time."""
        slow = ("still", "moving")
        asked = [(film, place) for film in films for place, move in enumerate(film.moves) if move in slow]
        replies = self._ask_windows(asked, "idle")
        resting = {(id(film), place): reply for (film, place), reply in zip(asked, replies, strict=True)}
        for film in films:
            film.active = [
                move == "fast"
                or (move != "unknown" and not read_yes_no(said(resting[id(film), place], "yes_no")))
                for place, move in enumerate(film.moves)
            ]
        holding = [False] * len(films)
        for place in range(max((len(film.moves) for film in films), default=0)):
            here = [number for number, film in enumerate(films) if place < len(film.moves)]
            for number in here:
                if films[number].moves[place] == "unknown":
                    holding[number] = False
            open_ones = [n for n in here if films[n].moves[place] in slow]
            for question, value in (("picks_up", False), ("puts_down", True)):
                chosen = [number for number in open_ones if holding[number] is value]
                answers = self._ask_windows([(films[number], place) for number in chosen], question)
                changed = [
                    n for n, reply in zip(chosen, answers, strict=True) if read_yes_no(said(reply, "yes_no"))
                ]
                open_ones = [number for number in open_ones if number not in chosen]
                for number in changed:
                    holding[number] = not value
            for number in here:
                film = films[number]
                still = film.moves[place] in ("still", "unknown")
                film.states.append(WindowState(film.active[place], holding[number], still))

    def _words(self, film: _Film) -> dict[int, list[str]]:
        resolve = with_postprocessing if self.do_postprocess else without_postprocessing
        return {
            window["window"]: words for window, words in zip(film.windows, resolve(film.states), strict=True)
        }

    def _ask_windows(self, asked: Sequence[tuple[_Film, int]], question: str) -> list[str]:
        shown = [self._shown(film, place) for film, place in asked]
        return self._ask(shown, {question: self.wording}, 16)

    def _shown(self, film: _Film, place: int) -> Document:
        """Return the document that shows a window: whole, or the square around its hand."""
        window = film.windows[place]
        if not self.do_crop:
            return window
        numbers = self._numbers(window)
        places, _ = film.track.at(numbers)
        squares = crops(places, film.moves[place], film.size)
        key = repr((window["video"], window["media_stamp"], numbers, squares)).encode()
        target = cache_directory() / "clips" / f"hand-{hashlib.sha256(key).hexdigest()[:32]}.mp4"
        if not target.exists():
            private_folder(target.parent)
            pictures = read_frames(Path(window["video"]), [number / film.fps for number in numbers])
            write_crop(target, pictures, squares, window["clip_fps"])
        return {**window, "cropped": str(target)}

    def _ask(self, documents: Sequence[Document], question: Mapping[str, str], tokens: int) -> list[str]:
        """Return the base's replies; ``question`` names the one to ask in place of each document's own."""
        if not documents:
            return []
        rows = [dict(document) for document in documents]
        for name, wording in question.items():
            asked = load_rehab_library().questions["state_machine"][name].wording(wording).text
            rows = [{**row, "question": asked.replace("{hand}", str(row["hand"]))} for row in rows]
        settings = {"max_new_tokens": tokens, "until": [], "temperature": 0, "do_sample": False}
        return ask_documents(
            self.lm, rows, text=doc_to_text, messages=_messages, visual=_visual, settings=settings
        )


def _messages(document: Document) -> list[dict[str, Any]]:
    if "cropped" not in document:
        return doc_to_messages(document)
    video = {"type": "video", "url": document["cropped"], "frames": document["frames"]}
    return [{"role": "user", "content": [video, {"type": "text", "text": doc_to_text(document)}]}]


def _visual(document: Document) -> list[str]:
    return [document["cropped"]] if "cropped" in document else doc_to_visual(document)
