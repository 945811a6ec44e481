"""Draw a whole study: subjects at a table doing the nine activities, and Fugl-Meyer movements with item scores.

Every primitive lasts a whole number of frames, so the labels are exact. Good for tests, for demonstrations and for a
rule that looks for colours; it says nothing about how a model reads people.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from semiology.data.cache import write_whole
from semiology.data.strokerehab.drawing import ARMPIT, FACE, HAIR, MOUTH, Moment, Point, write_film
from semiology.data.strokerehab.study import DRAWN, SCORES, SUBJECTS
from semiology.strokerehab import ITEMS, severity

REST: dict[str, Point] = {"right": (0.3, 0.8), "left": (0.7, 0.8)}
KNEE, NOSE = (0.55, 0.68), (0.5, 0.2)
RAW_NAMES = {
    "brushing": "brushing",
    "combing": "combing",
    "deodorant": "deodrant",
    "drinking": "drinking",
    "face wash": "face wash",
    "feeding": "feeding",
    "glasses": "glasses",
    "rtt exercise": "RTT {side} side",
    "shelf exercise": "shelf {side} side",
}
"""How the study's file names spell the activities."""
_USED_AT: dict[str, Point] = {
    "brushing": MOUTH,
    "combing": HAIR,
    "deodorant": ARMPIT,
    "drinking": MOUTH,
    "face wash": FACE,
    "feeding": MOUTH,
    "glasses": FACE,
}
CLIPS: tuple[tuple[int, int, str], ...] = (
    (3, 8, "A"), (9, 11, "A"), *((item, item, "A") for item in (12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23)),
    (24, 25, "A"), *((item, item, "A") for item in (26, 27, 28, 29, 30)), (31, 33, "A"), (31, 33, "H"),
)  # fmt: skip
"""First and last item, and arm, of each Fugl-Meyer clip."""
FIXTURE = (
    "idle",
    "reach",
    "transport",
    "transport",
    "stabilize",
    "reposition",
    "idle",
    "reach",
    "transport",
    "reposition",
)
FIXTURE_FRAMES = 16
"""Labels of ten windows, and their frames at 30 a second: the fixture whose scores are known."""


@dataclass(frozen=True)
class Look:
    """Size, rate and container of drawn films."""

    size: tuple[int, int] = (320, 208)
    fps: float = 30.0
    suffix: str = ".mp4"


def simulate_study(
    root: Path,
    *,
    controls: int = 2,
    strokes: int = 3,
    tune: int = 0,
    seed: int = 0,
    rounds: int = 2,
    activities: Sequence[str] = tuple(RAW_NAMES),
    clips: bool = True,
    look: Look | None = None,
) -> None:
    """Write a drawn study in the layout of `semiology.data.strokerehab.study`.

    Args:
        root: a new folder.
        controls, strokes: subjects of each group.
        tune: how many of them, the last, are in the split ``tune``; the others are in ``test``.
        seed: the same seed gives the same study.
        rounds: how often an object is fetched and put back in one video.
        activities: which activities each subject does, on one camera.
        clips: whether to draw Fugl-Meyer clips with scores.
        look: how films are written.
    """
    rng = np.random.default_rng(seed)
    look = look or Look()
    root.mkdir(parents=True, exist_ok=True)
    write_whole(root / DRAWN, "Drawn by `semiology data simulate-strokerehab`: nothing in it is clinical.\n")
    subjects: list[tuple[object, ...]] = []
    scores: list[tuple[object, ...]] = []
    for number in range(controls + strokes):
        control = number < controls
        name = f"{'C' if control else 'S'}{90001 + (number if control else number - controls)}"
        side = "right" if rng.random() < 0.5 else "left"
        ability = 2.0 if control else rng.uniform(0.2, 1.8)
        items = {item: int(np.clip(round(rng.normal(ability, 0.4)), 0, 2)) for item in ITEMS}
        total = 6 + sum(items.values())
        subjects.append(
            (name, name[0], "" if control else side[0].upper(), side[0].upper(), total,
             "" if control else severity(total), "tune" if number >= controls + strokes - tune else "test")
        )  # fmt: skip
        scores += [(name, item, side[0].upper(), score) for item, score in items.items()]
        for activity in activities:
            raw = RAW_NAMES[activity].format(side=side)
            primitives = draw_primitives(rounds, rng, look.fps)
            write_video(root, f"{name}_{raw}1_1", activity, side, primitives, look)
        if clips:
            _write_clips(root, name, side, items, look)
    header = ("subject", "group", "side_affected", "side_scored", "fm_total", "severity", "split")
    write_whole(root / SUBJECTS, _csv(header, subjects))
    write_whole(root / SCORES, _csv(("subject", "item", "side", "score"), scores))


def write_fixture(root: Path, name: str = "C90001_drinking1_1") -> None:
    """Write the video of the known scores: ten windows of 16 frames, 96 x 64 px, 30 fps, right hand."""
    primitives = [(primitive, FIXTURE_FRAMES) for primitive in FIXTURE]
    write_video(root, name, "drinking", "right", primitives, Look((96, 64)))
    rows = [("C90001", "C", "", "R", 66, "", "test"), ("S90001", "S", "R", "R", 30, "moderate", "test")]
    header = ("subject", "group", "side_affected", "side_scored", "fm_total", "severity", "split")
    write_whole(root / SUBJECTS, _csv(header, rows))


def draw_primitives(rounds: int, rng: np.random.Generator, fps: float) -> list[tuple[str, int]]:
    """Return primitives with their frames: idle, then rounds of fetching, using and putting back."""
    found = [("idle", rng.uniform(0.8, 1.6))]
    for _ in range(rounds):
        found += [("reach", rng.uniform(0.7, 1.2)), ("transport", rng.uniform(0.8, 1.6))]
        if rng.random() < 0.7:
            found += [("stabilize", rng.uniform(0.7, 1.4)), ("transport", rng.uniform(0.8, 1.6))]
        found.append(("reposition", rng.uniform(0.6, 1.1)))
        if rng.random() < 0.6:
            found.append(("idle", rng.uniform(1.0, 2.4)))
    return [(primitive, max(2, round(seconds * fps))) for primitive, seconds in found]


def write_video(
    root: Path, name: str, activity: str, hand: str, primitives: Sequence[tuple[str, int]], look: Look
) -> None:
    """Write one film and its label file.

    Args:
        root: of the study. name: the id of the video; its first part is the subject.
        activity: whose objects are drawn.
        hand: ``left`` or ``right``; the labelled hand.
        primitives: in order, each with its frames.
        look: how it is written.
    """
    subject = name.partition("_")[0]
    moments = list(_moments(activity, hand, primitives))
    write_film(root / "videos" / subject / f"{name}{look.suffix}", moments, activity, look.size, look.fps)
    markers = [f"{hand[0]}_{primitive}" for primitive, frames in primitives for _ in range(frames)]
    rows = [(f"{number / look.fps:.3f}", marker) for number, marker in enumerate(markers)]
    # The last label goes on to the end of the film.
    rows.append((f"{len(markers) / look.fps:.3f}", markers[-1]))
    path = root / "labels" / subject / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, _csv(("Time_s", "MarkerNames"), rows))


def _moments(activity: str, hand: str, primitives: Sequence[tuple[str, int]]) -> Iterator[Moment]:
    """Yield what each frame shows: the hand fetches the object, uses it, puts it back."""
    other = "left" if hand == "right" else "right"
    inner = 1 if hand == "right" else -1
    home = (0.5 - 0.08 * inner, 0.8)
    used = _USED_AT.get(activity, (0.5 + 0.3 * inner, 0.38 if activity.startswith("shelf") else 0.84))
    place, thing = REST[hand], home
    for primitive, frames in primitives:
        if primitive == "reach":
            target = thing
        elif primitive == "transport":
            target = used if _near(thing, home) else home
        elif primitive == "reposition":
            target = REST[hand] if not _near(place, REST[hand]) else (place[0], place[1] - 0.2)
        else:
            target = place
        start = place
        for frame in range(1, frames + 1):
            # Even motion: every pair of frames within a moving primitive differs.
            share = frame / frames
            place = (start[0] + share * (target[0] - start[0]), start[1] + share * (target[1] - start[1]))
            thing = place if primitive in ("transport", "stabilize") else thing
            both = {hand: place, other: REST[other]}
            yield Moment(both["right"], both["left"], thing)


def _near(first: Point, second: Point) -> bool:
    return abs(first[0] - second[0]) + abs(first[1] - second[1]) < 1e-6


def _write_clips(root: Path, subject: str, side: str, scores: dict[int, int], look: Look) -> None:
    """Write the Fugl-Meyer clips of a subject: the further an arm gets, the better the mean score of its items."""
    for first, last, arm in CLIPS:
        asked = [item for item in range(first, last + 1) if item in scores]
        reached = 1.0 if arm == "H" else sum(scores[item] for item in asked) / (2 * len(asked))
        moving = side if arm == "A" else ("left" if side == "right" else "right")
        # Five touches of knee and nose: the affected arm needs longer the lower item 33 is scored.
        slow = {0: 3.0, 1: 2.0, 2: 1.0}[scores[33]] if arm == "A" and first == 31 else 1.0
        moments = list(_movement(moving, first, reached, slow, look.fps))
        span = f"{first}_{last}" if last > first else f"{first}"
        for view in "FS":
            path = root / "fm_clips" / subject / f"{subject}_FM{span}_{arm}_{view}{look.suffix}"
            write_film(path, moments, None, look.size, look.fps)


def _movement(hand: str, first: int, reached: float, slow: float, fps: float) -> Iterator[Moment]:
    other = "left" if hand == "right" else "right"
    if first == 31:
        corners = [KNEE, NOSE] * 5 + [KNEE]
        legs = [(a, b, 0.5 * slow) for a, b in pairwise(corners)]
    else:
        top = (0.5, REST[hand][1] - 0.7 * reached)
        legs = [(REST[hand], top, 1.2), (top, top, 0.8)]
    for start, end, seconds in legs:
        frames = max(2, round(seconds * fps))
        for frame in range(frames):
            share = frame / (frames - 1)
            place = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
            both = {hand: place, other: REST[other]}
            yield Moment(both["right"], both["left"], None)


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
