"""Pictures of windows: the right ones, with their aspect, decoded once."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semiology.backends.supervised import frames
from semiology.backends.supervised.frames import differences, fitted, frame_times, parts_of, window_pictures
from semiology.backends.supervised.recipe import Recipe
from tests.data.media_zoo import HEIGHT, WIDTH, even, number_of, write_recording


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "film.mp4"
    write_recording(path, even(90))
    return path


def test_the_right_frames_are_taken_and_a_film_is_read_once(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(size=max(WIDTH, HEIGHT), frames=3)
    windows = [(0.0, 1.5), (1.0, 3.0)]
    found, faults = window_pictures(film, windows, recipe)
    assert not faults
    assert found.shape == (2, 3, recipe.size, recipe.size, 3)
    for number, (start, end) in enumerate(windows):
        bars = (recipe.size - HEIGHT) // 2
        inside = found[number][:, bars : bars + HEIGHT, :WIDTH]
        wanted = [int(time * 30 + 1e-6) for time in frame_times(start, end, recipe)]
        assert [number_of(np.asarray(each)) for each in inside] == wanted

    def never(*arguments: object) -> None:
        raise AssertionError("decoded twice")

    monkeypatch.setattr(frames, "stream_windows", never)
    again, _ = window_pictures(film, windows, recipe)
    assert isinstance(again, np.memmap)
    assert np.array_equal(again, found)
    with pytest.raises(AssertionError, match="decoded twice"):
        window_pictures(film, windows, Recipe(size=recipe.size, frames=3, squash=True))


def test_a_damaged_cache_is_made_again(film: Path, tmp_path: Path) -> None:
    recipe = Recipe(size=16, frames=2)
    found, _ = window_pictures(film, [(0.0, 1.0)], recipe)
    before = np.array(found)
    (file,) = (tmp_path / "cache" / "training_frames").glob("*.npy")
    file.write_bytes(b"\x93NUMPY cut off")
    assert np.array_equal(window_pictures(film, [(0.0, 1.0)], recipe)[0], before)


def test_a_window_that_cannot_be_read_costs_that_window_and_is_not_kept(film: Path, tmp_path: Path) -> None:
    found, faults = window_pictures(film, [(0.0, 1.0), (50.0, 60.0)], Recipe(size=16, frames=2))
    assert list(faults) == [1]
    assert "there is no frame at" in faults[1]
    assert found[0].any()
    assert not found[1].any()
    assert not (tmp_path / "cache" / "training_frames").exists()


def test_pictures_keep_their_aspect_unless_squashed() -> None:
    wide = np.full((40, 80, 3), 200, np.uint8)
    kept, squashed = fitted(wide, 32, squash=False), fitted(wide, 32, squash=True)
    assert (kept[8:24] == 200).all()
    assert not kept[:8].any()
    assert not kept[24:].any()
    assert (squashed == 200).all()


def test_parts_cover_the_window() -> None:
    parts = parts_of(3.0, 9.5, Recipe(clips=4))
    assert parts[0][0] == 3.0
    assert parts[-1][1] == 9.5
    assert all(a[1] == b[0] for a, b in itertools.pairwise(parts))


def test_differences_show_what_moved_and_hide_how_patient_and_room_look() -> None:
    rng = np.random.default_rng(5)
    rooms = rng.integers(60, 190, (2, 8, 8, 3)).astype(np.uint8)
    pictures = np.repeat(rooms, 8, axis=0).reshape(
        4, 4, 8, 8, 3
    )  # two segments of two parts of four pictures
    pictures[1, 3, 2:4, 2:4] += 60  # an arm, in one picture of eight
    pictures[3] = 0  # could not be read
    found = differences(pictures, 2, {3})
    assert (found[0] == 128).all()
    assert (found[1, 3, 2:4, 2:4] == 188).all()
    assert (found[1, :3] == 128).all()
    assert (found[2] == 128).all()  # the other room looks the same
    assert not found[3].any()


def test_differences_are_kept_apart_from_the_pictures_themselves(film: Path) -> None:
    windows = [(0.0, 1.0), (1.0, 2.0)]
    plain = Recipe(size=16, frames=2, clips=2)
    filmed = np.array(window_pictures(film, windows, plain)[0])
    shown = np.array(window_pictures(film, windows, replace(plain, difference=True))[0])
    assert np.array_equal(shown, differences(filmed, 2))
    assert np.array_equal(window_pictures(film, windows, plain)[0], filmed)
    apart = window_pictures(film, windows, replace(plain, difference=True, clips=1))[0]
    assert np.array_equal(apart, differences(filmed, 1))  # each part a segment of its own
    assert not np.array_equal(apart, shown)
