from __future__ import annotations

from pathlib import Path

import pytest

from semiology.backends.checkpoint_stamp import checkpoint_stamp

FILES = {
    "model.safetensors": "weights",
    "config.json": "{}",
    "chat_template.jinja": "{{ text }}",
    "merges.txt": "a b",
}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("name", FILES)
def test_any_file_that_changes_answers_changes_the_stamp(checkpoint: Path, tmp_path: Path, name: str) -> None:
    cache = tmp_path / "cache"
    before = checkpoint_stamp(str(checkpoint), cache)
    assert before.startswith("content ")
    (checkpoint / name).write_text(FILES[name] + "!")
    assert checkpoint_stamp(str(checkpoint), cache) != before


def test_a_copy_elsewhere_has_the_same_stamp(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "README.md").write_text("not part of it")
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in FILES:
        (copy / name).write_bytes((checkpoint / name).read_bytes())
    assert checkpoint_stamp(str(copy), tmp_path / "a") == checkpoint_stamp(str(checkpoint), tmp_path / "b")


def test_the_hubs_files_are_told_by_their_commit(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "c" * 40
    snapshot = tmp_path / "hub" / "models--owner--name" / "snapshots" / commit
    snapshot.parent.mkdir(parents=True)
    checkpoint.rename(snapshot)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    cache = tmp_path / "cache"
    assert checkpoint_stamp(str(snapshot), cache) == f"commit {commit}"
    assert checkpoint_stamp("owner/name", cache) == f"owner/name@{commit}"
    assert checkpoint_stamp("owner/name", cache, revision="d" * 40) == f"owner/name@{'d' * 40}"
    with pytest.raises(ValueError, match=r"owner/other: not on this machine yet"):
        checkpoint_stamp("owner/other", cache)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no \*\.safetensors"):
        checkpoint_stamp(str(tmp_path), tmp_path / "cache")
