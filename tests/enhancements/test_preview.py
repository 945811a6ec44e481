"""The preview shows pictures, sound and words before and after, on a real (simulated) recording."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from honest_steps import Negative, Said, Softer
from matplotlib.image import imread

from semiology.data.media.probe import MediaError
from semiology.enhancements.preview import DPI, WIDTH_IN, Listening, Strip, Words, draw, preview, small
from semiology.enhancements.registry import EnhancementError


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))


def test_a_page_holds_the_picture_and_both_sounds(simulated_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "look.html"
    shown = preview(simulated_set, [Negative(), Softer(gain=0.5), Said(text="<b>hello</b>")], out, stills=2)
    assert {name: outcome.status for name, outcome in shown.items()} == dict.fromkeys(
        ("pose", "denoise", "transcript"), "done"
    )
    text = out.read_text()
    assert out.stat().st_mode & 0o077 == 0
    assert "the pictures are negatives" in text
    assert re.search(r"https?://|<script|src='(?!data:)", text) is None  # nothing from elsewhere
    sounds = [base64.b64decode(each) for each in re.findall(r"audio/wav;base64,([^']+)'", text)]
    before, after = (soundfile.read(io.BytesIO(each))[0] for each in sounds)
    assert np.abs(after).max() == pytest.approx(0.5 * np.abs(before).max(), abs=2e-3)
    picture = imread(io.BytesIO(base64.b64decode(re.search(r"image/png;base64,([^']+)'", text)[1])))  # type: ignore[index]
    assert picture.shape[1] == WIDTH_IN * DPI


def test_the_strips_show_the_same_moments_before_and_after(
    simulated_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[list[Strip], list[Listening], list[Words]]] = []

    def keep(title: str, *parts: object) -> bytes:
        drawn.append(parts)  # type: ignore[arg-type]
        return b"png"

    monkeypatch.setattr("semiology.enhancements.preview.draw", keep)
    preview(simulated_set, [Negative(), Said()], tmp_path / "look.png", stills=3, video_id="P002_V01")
    (original, negative), sounds, words = drawn[0]
    assert original.times_s == negative.times_s
    assert len(original.times_s) == 3
    for one, other in zip(original.pictures, negative.pictures, strict=True):
        assert np.abs(255.0 - one - other).mean() < 6  # what coding changes
    assert sounds == []
    assert words[0].lines == ["   31.00-   34.00 s  can you hear me"]


def test_what_failed_is_said_in_its_place(simulated_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "look.html"
    shown = preview(simulated_set, [Softer(raises_for="P001_V01")], out)
    assert shown["denoise"].status == "failed"
    assert "a fault of the program (KeyError" in out.read_text()


@pytest.mark.parametrize(
    ("out", "video_id", "told"),
    [("look.jpg", None, "ends in .png or .html"), ("no/look.png", None, "no folder"), ("x.png", "P9", "P9")],
)
def test_what_cannot_be_shown_is_told(
    out: str, video_id: str | None, told: str, simulated_set: Path, tmp_path: Path
) -> None:
    with pytest.raises((EnhancementError, MediaError), match=told):
        preview(simulated_set, [Softer()], tmp_path / out, video_id=video_id)
    assert not (tmp_path / out).exists()


def test_pictures_are_made_small_and_keep_their_form() -> None:
    assert small(np.zeros((720, 1280, 3), np.uint8)).shape == (270, 480, 3)
    assert small(np.zeros((48, 64, 3), np.uint8)).shape == (48, 64, 3)


def test_silence_and_shortest_sound_can_be_drawn() -> None:
    sounds = [
        Listening("silent", np.zeros(16_000, np.float32), 16_000),
        Listening("none", np.zeros(0, np.float32), 1),
    ]
    sounds.append(Listening("short", np.full(3, 0.1, np.float32), 16_000))
    words = [Words("transcript", ["$x$ " * 200] * 60, "done")]
    assert draw("a $title", [], sounds, words).startswith(b"\x89PNG")
