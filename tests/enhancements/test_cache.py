"""The cache: right keys, whole entries, and no harm from kills, damage or company."""

from __future__ import annotations

import gc
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from honest_steps import RATE, Softer

from semiology.data.recording_set import Recording
from semiology.enhancements.pipeline import cache as cache_module
from semiology.enhancements.pipeline.cache import MISSING, EnhancementCache, input_digest, is_whole
from semiology.enhancements.pipeline.step import Outcome


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    sound = tmp_path / "sound.wav"
    soundfile.write(sound, 0.2 * np.sin(np.arange(RATE) * 0.1), RATE)
    return Recording("V1", "P1", tmp_path / "video.mp4", audio=sound)


@pytest.fixture
def cache(tmp_path: Path) -> EnhancementCache:
    return EnhancementCache(tmp_path / "derived", tmp_path / "memory")


def loudness(path: Path) -> float:
    return float(np.abs(soundfile.read(path)[0]).max())


def leftovers(cache: EnhancementCache) -> list[Path]:
    return [path for path in cache.folder.rglob("*") if path.name.startswith(".")]


def test_an_entry_is_made_once_and_holds_two_files(cache: EnhancementCache, recording: Recording) -> None:
    first = cache.make(Softer(), recording)
    second = cache.make(Softer(), recording)
    assert (first.reused, second.reused) == (False, True)
    assert first.file == second.file
    assert first.file is not None
    assert sorted(path.name for path in first.file.parent.iterdir()) == ["derived.wav", "outcome.json"]
    assert loudness(first.file) == pytest.approx(0.1, abs=1e-3)
    assert second.outcome == Outcome("done", "the sound is softer", {"seconds": 1.0, "how": "gain"})
    assert first.file.parent.parent.stat().st_mode & 0o077 == 0
    assert leftovers(cache) == []


def test_parameters_version_and_content_each_give_another_entry(
    cache: EnhancementCache, recording: Recording
) -> None:
    keys = [cache.key(Softer(), recording), cache.key(Softer(gain=0.4), recording)]
    keys.append(cache.key(Softer(version="2"), recording))
    soundfile.write(recording.audio, np.zeros(RATE), RATE)
    keys.append(cache.key(Softer(), recording))
    assert len(set(keys)) == 4


def test_a_copy_under_another_name_is_the_same_entry(
    cache: EnhancementCache, recording: Recording, tmp_path: Path
) -> None:
    assert recording.audio is not None
    copy = tmp_path / "elsewhere.wav"
    copy.write_bytes(recording.audio.read_bytes())
    cache.make(Softer(), recording)
    assert cache.make(Softer(), replace(recording, video_id="V2", audio=copy)).reused


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "not json", "no outcome"])
def test_a_damaged_entry_is_recognised_and_made_again(
    damage: str, cache: EnhancementCache, recording: Recording
) -> None:
    file = cache.make(Softer(), recording).file
    assert file is not None
    whole = file.read_bytes()
    outcome = file.parent / "outcome.json"
    if damage == "cut":
        file.write_bytes(whole[:-100])
        assert not is_whole(file)
    elif damage == "changed":
        file.write_bytes(whole[:-1] + b"\x55")
    elif damage == "gone":
        file.unlink()
    elif damage == "not json":
        outcome.write_text(outcome.read_text()[:-20])
    else:
        outcome.unlink()
    again = cache.make(Softer(), recording)
    assert not again.reused
    assert again.file == file
    assert file.read_bytes() == whole
    assert cache.make(Softer(), recording).reused
    assert leftovers(cache) == []


def test_what_failed_is_tried_again(cache: EnhancementCache, recording: Recording) -> None:
    failed = cache.make(Softer(raises_for="V1"), recording)
    assert failed.outcome.status == "failed"
    assert "KeyError" in failed.outcome.sentence
    assert failed.file is None
    assert cache.make(Softer(), recording).outcome.status == "done"
    assert leftovers(cache) == []


def test_a_step_that_writes_nothing_has_not_done_it(cache: EnhancementCache, recording: Recording) -> None:
    class Idle(Softer):
        def apply(self, recording: Recording, target: Path, progress: object) -> Outcome:
            return Outcome("done", "nothing was written")

    assert cache.make(Idle(), recording).outcome.status == "failed"


def test_a_recording_that_changes_while_it_is_read_is_not_kept(
    cache: EnhancementCache, recording: Recording
) -> None:
    class Disturbed(Softer):
        def apply(self, recording: Recording, target: Path, progress: object) -> Outcome:
            outcome = super().apply(recording, target, None)
            soundfile.write(recording.audio, np.zeros(RATE * 2), RATE)
            return outcome

    made = cache.make(Disturbed(), recording)
    assert made.outcome.status == "failed"
    assert "changed while it was read" in made.outcome.sentence
    assert cache.usage() == []


def test_two_at_once_do_not_harm_each_other(cache: EnhancementCache, recording: Recording) -> None:
    """While one works another begins and ends; the entry of the first to end stays."""
    inner = {}

    class Slow(Softer):
        def apply(self, recording: Recording, target: Path, progress: object) -> Outcome:
            inner["made"] = EnhancementCache(cache.folder, cache._memory).make(Softer(), recording)
            return super().apply(recording, target, None)

    outer = cache.make(Slow(), recording)
    assert outer.outcome.status == "done"
    assert outer.file == inner["made"].file
    assert outer.reused  # the other's entry is the one that counts
    assert is_whole(outer.file)
    assert leftovers(cache) == []


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_makes_is_not(
    cache: EnhancementCache, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_YOUNG_S", -1.0)
    dead = cache.folder / "denoise" / ".work-dead"
    dead.mkdir(parents=True)
    (dead / "derived.wav").write_bytes(b"half")
    (dead / ".lock").touch()
    seen = []

    class Watched(Softer):
        def apply(self, recording: Recording, target: Path, progress: object) -> Outcome:
            EnhancementCache(cache.folder, cache._memory).sweep()
            seen.append((target.parent.exists(), dead.exists()))
            return super().apply(recording, target, None)

    assert cache.make(Watched(), recording).outcome.status == "done"
    assert seen == [(True, False)]


def test_a_kill_leaves_nothing_that_passes_for_an_entry(
    cache: EnhancementCache, recording: Recording
) -> None:
    pid = os.fork()
    if pid == 0:
        gc.disable()  # no decoder of the forked process is to be closed here: that would wait for its threads
        cache.make(Softer(kills_for="V1"), recording)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 9
    assert cache.usage() == []
    assert cache.make(Softer(), recording).outcome.status == "done"


def test_usage_and_clearing_touch_entries_alone(cache: EnhancementCache, recording: Recording) -> None:
    cache.make(Softer(), recording)
    cache.make(Softer(name="pose"), recording)
    keypoints = cache.folder / "pose" / "V1"
    keypoints.mkdir()
    (keypoints / "V1_000000000000_keypoints.json").write_text("{}")
    usage = {use.enhancement: use for use in cache.usage()}
    assert (usage["denoise"].entries, usage["pose"].entries) == (1, 1)
    assert usage["denoise"].size_bytes > RATE
    assert [use.enhancement for use in cache.clear(("pose",))] == ["pose"]
    assert [use.enhancement for use in cache.usage()] == ["denoise"]
    assert len(list(keypoints.iterdir())) == 1


def test_the_outcome_beside_the_file_says_what_it_was_made_from(
    cache: EnhancementCache, recording: Recording
) -> None:
    file = cache.make(Softer(gain=0.25), recording).file
    assert file is not None
    record = json.loads((file.parent / "outcome.json").read_text())
    assert (record["step"], record["version"], record["parameters"]) == ("denoise", "1", {"gain": 0.25})
    assert record["size_bytes"] == file.stat().st_size
    assert str(recording.video) not in json.dumps(record)


def test_a_folder_counts_by_names_and_contents(tmp_path: Path) -> None:
    folder, memory = tmp_path / "pose", tmp_path / "memory"
    folder.mkdir()
    (folder / "a.json").write_text("1")
    digests = [input_digest(folder, memory), input_digest(folder, memory)]
    (folder / "b.json").write_text("2")
    digests.append(input_digest(folder, memory))
    (folder / "b.json").rename(folder / "c.json")
    digests.append(input_digest(folder, memory))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
    assert len(list((memory / "digests").iterdir())) == 3
    assert input_digest(tmp_path / "nothing", memory) == MISSING
