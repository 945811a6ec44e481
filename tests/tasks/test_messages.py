"""What is sent: media first, then the prompt and nothing else, in the form that the model class takes."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semiology.data.media.probe import MediaError, probe
from semiology.tasks import documents
from semiology.tasks.messages import doc_to_messages, doc_to_text, doc_to_visual


def document(feature: str, index: int = 1) -> dict[str, Any]:
    table = Path(documents.questions(feature)["data_files"]["test"])
    return dict(json.loads(table.read_text().splitlines()[index]))


def test_a_chat_model_gets_the_file_and_the_window_then_the_prompt(small_set: Path) -> None:
    row = document("tonic")
    (turn,) = doc_to_messages(row, {"window": "native", "sound": "none"})
    video, text = turn["content"]
    assert (video["start_time"], video["end_time"]) == (25.0, 55.0)
    assert Path(video["url"]) == small_set / "videos" / "A1.mp4"
    assert text == {"type": "text", "text": doc_to_text(row)}
    assert turn["role"] == "user"


def test_each_call_returns_a_fresh_list(small_set: Path) -> None:
    row = document("tonic")
    first = doc_to_messages(row)
    first.insert(0, {"role": "system", "content": []})
    assert len(doc_to_messages(row)) == 1


def test_a_class_that_ignores_windows_gets_a_file_of_the_window(small_set: Path) -> None:
    (turn,) = doc_to_messages(document("tonic"), {"window": "clip"})
    cut = turn["content"][0]
    assert set(cut) == {"type", "url"}
    assert probe(Path(cut["url"])).duration_s == pytest.approx(30.0, abs=0.3)


def test_a_simple_model_gets_the_cut_file_and_the_bare_prompt(small_set: Path) -> None:
    row = document("tonic")
    (path,) = doc_to_visual(row, {"window": "clip", "sound": "none"})
    assert probe(Path(path)).duration_s == pytest.approx(30.0, abs=0.3)
    assert doc_to_text(row) == row["question"]


def test_a_hearing_simple_model_gets_the_window_of_sound(small_set: Path) -> None:
    (sound,) = doc_to_visual(document("ictal_vocalization"), {"window": "clip", "sound": "array"})
    assert sound["sampling_rate"] == 16_000
    assert sound["array"].dtype == np.float32
    assert sound["array"].shape == (30 * 16_000,)
    assert np.abs(sound["array"]).max() > 0.05


def test_an_omni_model_sees_and_hears_the_window(small_set: Path) -> None:
    (turn,) = doc_to_messages(document("ictal_vocalization"), {"window": "native", "sound": "array"})
    assert [part["type"] for part in turn["content"]] == ["video", "audio", "text"]


def test_visual_questions_come_without_sound(small_set: Path) -> None:
    (turn,) = doc_to_messages(document("tonic"), {"window": "native", "sound": "array"})
    assert [part["type"] for part in turn["content"]] == ["video", "text"]


def test_sound_for_a_server_is_a_wav_in_the_request(small_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_SOUND", "data_url")
    (turn,) = doc_to_messages(document("ictal_vocalization"), {"window": "native", "sound": "none"})
    head, _, body = turn["content"][1]["url"].partition(",")
    assert head == "data:audio/wav;base64"
    assert base64.b64decode(body)[:4] == b"RIFF"


def test_a_missing_sound_track_is_an_error_that_names_the_recording(small_set: Path) -> None:
    row = {**document("ictal_vocalization"), "has_audio": False}
    with pytest.raises(MediaError, match="A1"):
        doc_to_messages(row, {"sound": "array"})
