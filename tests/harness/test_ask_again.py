"""``semiology repeat --again``: the recorded questions asked once more, and what cannot be asked again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semiology.cli import main
from semiology.harness.repeat import ask_again as asking
from semiology.harness.repeat.ask_again import AskAgainError, Changes, ask_again, run_command
from semiology.harness.run import RUN_FILE, resolve_model


def recorded(folder: Path, *, config: dict[str, Any] | None = None, **more: Any) -> Path:
    """A run's record with what lmms-eval writes beside it."""
    folder.mkdir(parents=True)
    record = {
        "data": "emu 1", "prompt_id": "embc", "answer_format": "yes_no_json", "audio_segments": "windows",
        "onset_clips": "centred,random", "window": "20x5", "split": "score", "recordings_chosen": "P00*",
        "videos_chosen": None, "recordings": 4, "model": "qwen2_5_vl", "model_args": "pretrained=qwen",
        "tasks": "semiology_tonic", "limit": 3,
    } | more  # fmt: skip
    (folder / RUN_FILE).write_text(json.dumps(record), encoding="utf-8")
    settings = {"batch_size": "4", "gen_kwargs": "", "resolved_cli_args": {"seed": [0, 1234, 1234, 1234]}}
    results = {"config": settings | (config or {})}
    (folder / "20260101_120000_results.json").write_text(json.dumps(results), encoding="utf-8")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "emu"
    folder.mkdir()
    (folder / "dataset.yaml").write_text("name: emu\nversion: 1\n", encoding="utf-8")
    return folder


def test_the_command_is_that_of_the_record(tmp_path: Path, data: Path) -> None:
    run = recorded(tmp_path / "runs" / "qwen")
    command = run_command(tmp_path / "runs", data, tmp_path / "again", Changes())
    assert command == [
        "run", "--model", "qwen2_5_vl", "--data", str(data), "--out", str(tmp_path / "again"),
        "--model-args", "pretrained=qwen", "--tasks", "semiology_tonic", "--prompt", "embc",
        "--answer-format", "yes_no_json", "--audio-segments", "windows", "--onset-clips", "centred,random",
        "--window", "20x5", "--recordings", "P00*", "--limit", "3", "--batch-size", "4",
    ]  # fmt: skip
    changes = Changes("semiology_openai", "base_url=http://127.0.0.1:8000", 8, ("--seed=1",))
    changed = run_command(run, data, tmp_path / "again", changes)
    assert changed[2] == "semiology_openai"
    journal = tmp_path / "again" / "journal"
    assert changed[changed.index("--model-args") + 1] == f"base_url=http://127.0.0.1:8000,journal={journal}"
    assert changed[changed.index("--batch-size") + 1] == "8"
    assert changed[-1] == "--lmms-eval-option=--seed=1"


def test_seeds_generation_and_split_of_the_run_are_kept(tmp_path: Path, data: Path) -> None:
    config = {"gen_kwargs": {"temperature": 0.7}, "batch_size": 1}
    config["resolved_cli_args"] = {"seed": [1, 2, 3, 4], "gen_kwargs": "temperature=0.7"}
    run = recorded(tmp_path / "run", config=config, split="test")
    command = run_command(run, data, tmp_path / "again", Changes())
    assert command[-2:] == [
        "--lmms-eval-option=--gen_kwargs=temperature=0.7",
        "--lmms-eval-option=--seed=1,2,3,4",
    ]
    assert command[command.index("--split") + 1] == "test"
    assert "--batch-size" not in command
    other = run_command(run, data, tmp_path / "again", Changes(extra=("--seed=9",)))
    assert other[-2:] == ["--lmms-eval-option=--gen_kwargs=temperature=0.7", "--lmms-eval-option=--seed=9"]


def test_an_embedded_model_is_named_and_not_pointed_at(tmp_path: Path, data: Path) -> None:
    _, own = resolve_model("embedded", "score=logprob")
    elsewhere = own.replace("pretrained=", "pretrained=/elsewhere")
    run = recorded(tmp_path / "run", model="embedded", model_args=elsewhere)
    command = run_command(run, data, tmp_path / "again", Changes())
    # A journal of its own: the one that all runs share would give the same answers without asking.
    journal = f"journal={tmp_path / 'again' / 'journal'}"
    assert command[command.index("--model-args") + 1] == f"score=logprob,{journal}"
    again = run_command(recorded(tmp_path / "next", model="semiology_hf", model_args=f"pretrained=x,{journal}"), data,
                        tmp_path / "other", Changes())  # fmt: skip
    assert f"pretrained=x,journal={tmp_path / 'other' / 'journal'}" in again
    with pytest.raises(AskAgainError, match="holds a comma"):
        run_command(run, data, tmp_path / "a,b", Changes())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"data": "emu 2"}, "is 'emu 1', and .* was asked about 'emu 2' → give that set"),
        ({"window": None}, None),
    ],
)
def test_another_set_is_refused_before_anything_runs(
    tmp_path: Path, data: Path, change: dict[str, Any], told: str | None
) -> None:
    run = recorded(tmp_path / "run", **change)
    if told is None:
        assert "--window" not in run_command(run, data, tmp_path, Changes())
        return
    with pytest.raises(AskAgainError, match=told):
        run_command(run, data, tmp_path / "again", Changes())


def test_what_left_no_record_or_several_is_a_sentence(tmp_path: Path, data: Path) -> None:
    with pytest.raises(AskAgainError, match=f"has no {RUN_FILE}, which `semiology run` writes"):
        run_command(data, data, tmp_path / "again", Changes())
    for name in "ab":
        recorded(tmp_path / "runs" / name)
    with pytest.raises(AskAgainError, match="holds 2 runs → give the folder of one of them"):
        run_command(tmp_path / "runs", data, tmp_path / "again", Changes())
    rehab = recorded(tmp_path / "rehab")
    (rehab / RUN_FILE).write_text('{"data": "study", "model": "embedded"}', encoding="utf-8")
    with pytest.raises(AskAgainError, match="is a run about stroke rehabilitation"):
        run_command(rehab, data, tmp_path / "again", Changes())


def test_repeats_are_runs_of_their_own_and_one_that_is_there_is_kept(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, ran, told = recorded(tmp_path / "run"), [], []

    class Ended:
        returncode = 3  # some requests got no reply: the results are there

    def pretend(command: list[str], **_: Any) -> Ended:
        out = Path(command[command.index("--out") + 1])
        ran.append(out.name)
        if out.name != "repeat_3":
            recorded(out / "qwen")
        return Ended()

    monkeypatch.setattr(asking.subprocess, "run", pretend)
    recorded(tmp_path / "again" / "repeat_1" / "qwen")
    made = ask_again(run, data, tmp_path / "again", 2, Changes(), told.append)
    assert [folder.name for folder in made] == ["repeat_1", "repeat_2"]
    assert ran == ["repeat_2"]
    assert "is there already" in told[0]
    assert told[1].startswith("Repeat 2 of 2: semiology run --model qwen2_5_vl")
    with pytest.raises(AskAgainError, match="ended with status 3 → see what it says above"):
        ask_again(run, data, tmp_path / "again", 3, Changes(), told.append)


def test_the_command_prints_or_refuses(
    tmp_path: Path, data: Path, command_here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    run = recorded(tmp_path / "run")
    words = ("--data", str(data), "--into", str(tmp_path / "again"))
    ended = command_here(main, "semiology", "repeat", str(run), *words, "--show-command")
    assert ended.returncode == 0, ended.stderr
    expected = run_command(run, data, tmp_path / "again" / "repeat_1", Changes())
    assert shlex.split(ended.stdout) == ["semiology", *expected]
    monkeypatch.delenv("SEMIOLOGY_DATA", raising=False)
    for given, told in (
        (("a", "b", "--again", "1"), "give one RUN"),
        ((str(run), "--again", "1"), "add --data DIR --into DIR"),
        ((str(run), str(run), "--batch-size", "8"), "nothing is asked without --again N"),
        ((str(run),), "a repeat needs two or more runs"),
    ):
        ended = command_here(main, "semiology", "repeat", *given)
        assert ended.returncode == 2
        assert told in " ".join(ended.stderr.replace("│", " ").split())
