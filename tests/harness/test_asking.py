"""Every question is asked once, whatever model class answers and whatever stops it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from semiology.data.cache import cache_directory
from semiology.harness.asking import Probe, ProbeResult, answers_kept, groups, model_identity
from semiology.optimization.sweep.plan import Window
from semiology.optimization.sweep.run import SweepStopped, _window_of, estimate_line

GREEDY = {"max_new_tokens": 8, "temperature": 0, "do_sample": False}


class Model:
    """Answers with the number of its call, and stops when told."""

    def __init__(self, documents: Sequence[dict[str, Any]], stop_after: int | None = None) -> None:
        self.task_dict = {"task": {"test": list(documents)}}
        self.calls: list[list[int]] = []
        self.stop_after = stop_after

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        if self.stop_after is not None and len(self.calls) == self.stop_after:
            raise KeyboardInterrupt
        self.calls.append([request.args[-3] for request in requests])
        return [f"reply {request.args[-3]}" for request in requests]


@pytest.fixture
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Three recordings of two windows under 20 wordings: 120 questions."""
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEMIOLOGY_QUIET", "1")
    made = []
    for name in ("A", "B", "C"):
        video = tmp_path / f"{name}.mp4"
        video.write_text(name)
        made += [
            {
                "video_id": name, "video": str(video), "audio": None, "has_audio": False, "cut_first": False,
                "segment": segment, "start_s": 25.0 * segment, "end_s": 25.0 * segment + 30,
                "feature": "tonic", "enhancement": "none", "question": f"Stiff {wording}?",
            }
            for segment in (0, 1)
            for wording in range(20)
        ]  # fmt: skip
    return made


def ask(
    model: Model,
    documents: Sequence[dict[str, Any]],
    probe: Sequence[Window] = (),
    told: Any = lambda found: None,
    *,
    settings: dict[str, Any] = GREEDY,
    name: str = "model",
    model_args: str = "a=b",
) -> list[Any]:
    """Ask through lmms-eval's ``evaluate``, which is replaced by its one step that matters here."""
    from lmms_eval import evaluator

    requests = [
        SimpleNamespace(args=(document["question"], None, settings, number, "task", "test"))
        for number, document in enumerate(documents)
    ]

    def evaluate(lm: Any) -> list[Any]:
        return list(lm.generate_until(requests))

    with pytest.MonkeyPatch.context() as patch:
        evaluate._semiology_wrapped = True  # type: ignore[attr-defined]
        patch.setattr(evaluator, "evaluate", evaluate)
        first = Probe(set(probe), _window_of, told) if probe else None
        with answers_kept(name, model_args, cache_directory() / "journal", probe=first):
            replies: list[Any] = evaluator.evaluate(model)
        assert evaluator.evaluate is evaluate
    assert "generate_until" not in vars(model)
    return replies


def test_the_probe_comes_first_and_everything_is_asked_once_in_its_place(
    documents: list[dict[str, Any]],
) -> None:
    model, heard = Model(documents), []
    windows = [Window("A", 1, "none", False), Window("C", 0, "none", False)]
    replies = ask(model, documents, windows, heard.append)
    assert replies == [f"reply {number}" for number in range(120)]
    asked = [number for call in model.calls for number in call]
    assert sorted(asked) == list(range(120))
    first = {(documents[i]["video_id"], documents[i]["segment"]) for i in asked[:40]}
    assert first == {("A", 1), ("C", 0)}
    (found,) = heard
    assert (found.windows, found.questions, found.known) == (2, 40, 0)


def test_a_killed_sweep_goes_on_without_asking_again(documents: list[dict[str, Any]]) -> None:
    first = Model(documents, stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        ask(first, documents)
    second = Model(documents)
    assert ask(second, documents) == [f"reply {number}" for number in range(120)]
    done = {number for call in first.calls for number in call}
    assert done == set(range(80))  # two whole recordings fill a group
    assert {number for call in second.calls for number in call} == set(range(120)) - done
    third, heard = Model(documents), []
    ask(third, documents, [Window("B", 0, "none", False)], heard.append)
    assert third.calls == []
    assert heard[0].known == 20


def test_the_estimate_of_a_sweep_that_goes_on_is_of_answers_that_are_new(
    documents: list[dict[str, Any]],
) -> None:
    with pytest.raises(KeyboardInterrupt):
        ask(Model(documents, stop_after=1), documents)  # A and B are answered, C is not
    model, heard = Model(documents), []
    ask(model, documents, [Window("B", 0, "none", False)], heard.append)
    assert sorted(number for call in model.calls for number in call) == list(range(80, 120))
    (found,) = heard
    assert (found.windows, found.questions, found.known, found.resumed) == (1, 20, 0, True)
    assert estimate_line(120, ProbeResult(1, 20, 0, 2.0, resumed=True)).startswith(
        "1 segment with 20 questions took 2.0 s: at most about 0:04:00 to go"
    )


def test_another_model_wording_video_or_setting_is_asked_anew(documents: list[dict[str, Any]]) -> None:
    ask(Model(documents), documents)
    again = Model(documents)
    ask(again, documents, name="other")
    assert sum(map(len, again.calls)) == 120
    Path(documents[0]["video"]).write_text("another film")
    documents[-1]["question"] = "Rigid?"
    changed = Model(documents)
    ask(changed, documents)
    assert sorted(number for call in changed.calls for number in call) == [*range(40), 119]
    longer = Model(documents)
    ask(longer, documents, settings={**GREEDY, "max_new_tokens": 9})
    assert sum(map(len, longer.calls)) == 120


@pytest.mark.parametrize("change", [{"do_sample": True}, {"temperature": 0.7}])
def test_sampled_answers_are_drawn_afresh(documents: list[dict[str, Any]], change: dict[str, Any]) -> None:
    for _ in range(2):
        model = Model(documents)
        ask(model, documents, settings=GREEDY | change)
        assert sum(map(len, model.calls)) == 120


def test_a_request_without_reply_is_not_kept(documents: list[dict[str, Any]]) -> None:
    class Failing(Model):
        def generate_until(self, requests: Sequence[Any]) -> list[str]:
            replies = super().generate_until(requests)
            return [
                "[LMMS_EVAL_REQUEST_FAILED after 5 retries]" if i == 0 else r for i, r in enumerate(replies)
            ]

    ask(Failing(documents), documents)
    model = Model(documents)
    ask(model, documents)
    assert sum(map(len, model.calls)) == 2  # the first of each of two groups


def test_a_model_with_a_journal_of_its_own_is_asked_in_two_calls(documents: list[dict[str, Any]]) -> None:
    model = Model(documents)
    model.journal = "auto"  # type: ignore[attr-defined]
    ask(model, documents, [Window("A", 0, "none", False)])
    assert list(map(len, model.calls)) == [20, 100]


def test_who_stops_after_the_probe_keeps_its_answers(documents: list[dict[str, Any]]) -> None:
    def stop(found: ProbeResult) -> None:
        raise SweepStopped

    windows = [Window("A", 0, "none", False)]
    with pytest.raises(SweepStopped):
        ask(Model(documents), documents, windows, stop)
    model = Model(documents)
    ask(model, documents)
    assert sum(map(len, model.calls)) == 100


def test_groups_hold_whole_recordings() -> None:
    documents = [{"video_id": name} for name in "aabbbcabd"]
    found = list(groups(range(9), documents, least=3))
    assert found == [[0, 1, 6], [2, 3, 4, 7], [5, 8]]
    assert list(groups([], documents)) == []


def test_the_estimate_scales_with_the_segments() -> None:
    assert estimate_line(120, ProbeResult(3, 60, 0, 6.0)) == (
        "3 segments with 60 questions took 6.0 s: about 0:04:00 for 120 segments, 0:03:54 of it to go"
    )
    assert "20 of the answers were there from an earlier run" in estimate_line(
        120, ProbeResult(3, 60, 20, 6.0)
    )


def test_a_run_of_several_processes_is_left_alone(
    documents: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    model = Model(documents)
    assert len(ask(model, documents)) == 120
    assert list(map(len, model.calls)) == [120]
    assert not (cache_directory() / "journal").exists()


def test_a_kept_reply_comes_back_with_its_token_counts(documents: list[dict[str, Any]]) -> None:
    from lmms_eval.api.instance import GenerationResult, TokenCounts

    class Counting(Model):
        def generate_until(self, requests: Sequence[Any]) -> list[Any]:
            replies = super().generate_until(requests)
            return [GenerationResult(text, TokenCounts(output_tokens=len(text))) for text in replies]

    def told(replies: list[Any]) -> list[tuple[str, dict[str, Any]]]:
        return [(reply.text, reply.token_counts.to_dict()) for reply in replies]

    first = told(ask(Counting(documents), documents))
    again = Counting(documents)
    assert told(ask(again, documents)) == first
    assert first[0] == ("reply 0", {**first[0][1], "output_tokens": 7})
    assert again.calls == []


def test_arguments_without_effect_on_answers_do_not_tell_models_apart(tmp_path: Path) -> None:
    assert model_identity("m", "b=2,a=1,timeout=3") == model_identity("m", "a=1,b=2,num_concurrent=8")
    assert model_identity("m", "a=1") != model_identity("m", "a=2") != model_identity("n", "a=2")


def test_a_command_counts_by_the_content_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    script = tmp_path / "backend.py"
    script.write_text("print('yes')")
    command = f"command=python {script} --gpu 0"
    before = model_identity("semiology_jsonl", command)
    assert model_identity("semiology_jsonl", command) == before
    script.write_text("print('no')  # corrected")
    assert model_identity("semiology_jsonl", command) != before
