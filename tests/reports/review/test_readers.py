"""Reader studies: what readers are shown, that no answer is lost, and how answers stand beside those of models."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from sklearn.metrics import cohen_kappa_score
from test_server import TestClient, _free_port
from typer.testing import CliRunner

from semiology.cli import app as command_line
from semiology.data.media.probe import probe
from semiology.data.tables.reading import read_recording_set
from semiology.data.windows.sliding import STANDARD
from semiology.reports.compare.sides import read_side
from semiology.reports.read.feature_answers import read_results
from semiology.reports.review.readers.answers import STORE, Answer, AnswerStore
from semiology.reports.review.readers.page import reader_app
from semiology.reports.review.readers.results import read_answers, reader_agreement, write_results
from semiology.reports.review.readers.study import CLIPS, Study, draw_study, read_study, write_study
from semiology.reports.review.server import token_of
from semiology.reports.review.sheet import ReviewError
from semiology.reports.summary.run_labels import marks_of

FEATURES = ("tonic", "ictal_vocalization")
BASE = "http://127.0.0.1:8765"


def text_of(feature: str, wording: str = "s3") -> str:
    return f"Is there {feature} ({wording})? Give an answer with 'yes' or 'no'."


def write_model_run(data: Path, folder: Path, *, window: str = "standard", wording: str = "s3") -> Path:
    """A run of a model that was played the sound, about every segment of a set, in lmms-eval's layout."""
    folder.mkdir(parents=True)
    configs, counts = {}, {}
    for feature in FEATURES:
        task, lines = f"semiology_{feature}", []
        text = text_of(feature, wording)
        for number, recording in enumerate(read_recording_set(data).recordings):
            for segment in STANDARD.segments(probe(recording.video).duration_s):
                record = {
                    "feature": feature, "enhancement": "none", "prompt_id": wording,
                    "prompt_hash": hashlib.sha256(text.encode()).hexdigest(),
                    "video_id": recording.video_id, "patient_id": recording.patient_id,
                    "segment": segment.index, "start_s": segment.start_s, "end_s": segment.end_s,
                    "truth": ("yes", "no")[number % 2], "answer": "yes", "raw": "yes", "justification": None,
                }  # fmt: skip
                lines.append(json.dumps({"doc_id": len(lines), "input": text, "semiology": record}))
        (folder / f"20260101_120000_samples_{task}.jsonl").write_text("\n".join(lines) + "\n")
        metadata = {"window": window, "sound": "array", "recording_set": "drawn 1", "simulated": True}
        configs[task] = {"task": task, "metadata": metadata}
        counts[task] = {"effective": len(lines)}
    record = {"configs": configs, "n-samples": counts, "config": {"model": "toy"}, "model_name": "a/model"}
    (folder / "20260101_120000_results.json").write_text(json.dumps(record))
    return folder


@pytest.fixture(scope="module")
def cut_once(simulated_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        run = write_model_run(simulated_set, folder / "run")
        _, faults = write_study(draw_study([run], FEATURES, seed=3), folder / "study", simulated_set)
    assert not faults
    return folder


@pytest.fixture
def folder(cut_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cut_once / "study", tmp_path / "study"))


def fill(folder: Path, reader: str, rule: Callable[[Any], str], most: int | None = None) -> None:
    store = AnswerStore(folder)
    for item in read_study(folder).items[:most]:
        store.save(Answer(reader, item.item, rule(item), 2.5))
    store.close()


def test_readers_see_the_frames_of_the_protocol_and_hear_only_what_models_heard(
    folder: Path, simulated_set: Path
) -> None:
    study = read_study(folder)
    durations = {r.video_id: probe(r.video).duration_s for r in read_recording_set(simulated_set).recordings}
    assert len(study.items) == len(FEATURES) * sum(len(STANDARD.segments(d)) for d in durations.values())
    for item in study.items:
        segment = STANDARD.segments(durations[item.video_id])[item.segment]
        with av.open(str(folder / CLIPS / item.clip)) as film:
            assert bool(film.streams.audio) == (item.feature == "ictal_vocalization")
            shown = [float(frame.time or 0) for frame in film.decode(video=0)]
        assert len(shown) == STANDARD.n_frames(segment)
        assert shown == pytest.approx([i / 2.0 for i in range(len(shown))])
        assert item.question == text_of(item.feature)


def test_the_page_tells_nothing_that_models_were_not_told_and_mixes_the_order(folder: Path) -> None:
    study = read_study(folder)
    store = AnswerStore(folder)
    with TestClient(reader_app(study, folder, store, "AB", "t" * 32), base_url=BASE) as client:
        told = client.get(f"/{'t' * 32}/api/study").json()
        assert {key for item in told["items"] for key in item} == {
            "item", "question", "fps", "heard", "answer", "seconds"
        }  # fmt: skip
        text = json.dumps(told)
        assert not [item for item in study.items if item.video_id in text or item.patient_id in text]
        item = told["items"][0]["item"]
        put = lambda **body: client.put(f"/{'t' * 32}/api/answers/{item}", json=body).status_code  # noqa: E731
        assert [put(answer="maybe", seconds=1.0), put(answer="yes", seconds=-1.0), put(answer="yes")] == [
            422
        ] * 3
        assert put(answer="cannot_tell", seconds=7.25) == 200
        assert client.get(f"/{'t' * 32}/clip/{item}").headers["content-type"] == "video/mp4"
        assert client.get("/wrong/api/study").status_code == 404
    assert store.latest("AB") == [Answer("AB", item, "cannot_tell", 7.25)]
    store.close()
    orders = {name: [item.item for item in study.order_of(name)] for name in ("AB", "CD", "EF")}
    assert orders["AB"] == [item.item for item in study.order_of("AB")]
    assert len({tuple(order) for order in orders.values()}) > 1
    assert {frozenset(order) for order in orders.values()} == {frozenset(item.item for item in study.items)}


def test_answers_come_back_as_a_model_that_is_marked_as_a_person(
    folder: Path, cut_once: Path, tmp_path: Path
) -> None:
    fill(folder, "AB", lambda item: item.truth)
    fill(folder, "CD", lambda item: "cannot_tell" if item.segment else "no")
    study, readers = read_answers([folder])
    write_results(study, readers, tmp_path / "out")
    write_results(study, readers, tmp_path / "out")  # again: nothing is there twice
    results = read_results([cut_once / "run", tmp_path / "out"])
    assert set(results.answers["model"]) == {"model", "human reader AB", "human reader CD"}
    assert results.answers.groupby("model").size().nunique() == 1
    assert set(results.answers["prompt"]) == {"s3"}
    marks = {name: marks_of(name, results.records) for name in set(results.answers["model"])}
    assert marks["human reader AB"] == ("simulated recordings", "human reader")
    assert marks["model"] == ("simulated recordings",)
    assert any("human reader AB is a person" in text for text in results.caveats)
    unsure = results.answers[results.answers["model"] == "human reader CD"]
    assert set(unsure.loc[unsure["segment"] > 0, "answer"]) == {"unparsed"}
    assert any("human reader CD" in note and "cannot tell" in note for note in results.notes)
    side = read_side(f"{tmp_path / 'out'}::human reader AB")
    assert side.conditions[0].label == "human reader AB"
    done = CliRunner().invoke(
        command_line, ["compare", str(cut_once / "run"), f"{tmp_path / 'out'}::human reader AB"]
    )
    assert done.exit_code == 0, done.output
    assert "human reader AB" in done.output


def test_agreement_is_that_of_scikit_learn_over_recordings(folder: Path) -> None:
    fill(folder, "AB", lambda item: item.truth)
    fill(folder, "CD", lambda item: "yes")
    fill(folder, "EF", lambda item: item.truth if item.feature == "tonic" else "yes")
    _, readers = read_answers([folder])
    found = reader_agreement([readers[0], readers[2]], resamples=100)
    assert found is not None
    kept = {(item.video_id, item.feature): item for item in readers[0].whole}.values()
    first = [item.truth for item in kept]
    second = [item.truth if item.feature == "tonic" else "yes" for item in kept]
    value = found.features["all features"]["cohen_kappa"].value
    assert value == pytest.approx(cohen_kappa_score(first, second))
    assert found.features["tonic"]["raw_agreement"].value == 1.0
    assert reader_agreement(readers[:1], resamples=100) is None


def test_a_reader_who_stops_is_counted_and_two_of_one_name_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="nobody has answered"):
        read_answers([folder])
    fill(folder, "AB", lambda item: item.truth, most=3)
    study, (reader,) = read_answers([folder])
    assert f"3 of {len(study.items)} questions answered" in reader.sentence
    assert "stopped half-way: 1 answers" in reader.sentence
    write_results(study, [reader], tmp_path / "out")
    told = [text for text in read_results([tmp_path / "out"]).caveats if "stopped after" in text]
    assert len(told) == 1
    assert told[0].startswith(
        "human reader AB is a person, who saw the frames that models are shown, not a model; "
    )
    assert f"stopped after 3 of {len(study.items)} segments" in told[0]
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    with pytest.raises(ReviewError, match=r"'AB' answered in .* two readers need two names"):
        read_answers([folder, copy])
    (copy / STORE).unlink()
    fill(copy, "CD", lambda item: "no")
    assert [each.reader for each in read_answers([folder, copy])[1]] == ["AB", "CD"]
    told_again = CliRunner().invoke(command_line, ["review", "serve", str(folder), "--rater", "AB"])
    assert "has answered 3 of" in str(told_again.exception)
    assert "--resume" in str(told_again.exception)


def test_runs_that_asked_or_cut_differently_are_refused_by_name(
    simulated_set: Path, cut_once: Path, tmp_path: Path
) -> None:
    other = write_model_run(simulated_set, tmp_path / "qwen", window="qwen3")
    with pytest.raises(ReviewError, match="differ in windows"):
        draw_study([cut_once / "run", other], FEATURES)
    worded = write_model_run(simulated_set, tmp_path / "embc", wording="embc")
    with pytest.raises(ReviewError, match=r"2 wordings .*--prompt"):
        draw_study([cut_once / "run", worded], FEATURES)
    chosen = draw_study([cut_once / "run", worded], FEATURES, prompt="embc", most=1)
    assert {item.prompt_id for item in chosen.items} == {"embc"}
    assert len({item.video_id for item in chosen.items}) == 1
    with pytest.raises(ReviewError, match="holds another study"):
        write_study(
            Study(chosen.items, 9, {}),
            Path(shutil.copytree(cut_once / "study", tmp_path / "s")),
            simulated_set,
        )


def _start(folder: Path, reader: str, port: int) -> subprocess.Popen[bytes]:
    words = ["review", "serve", str(folder), "--rater", reader, "--port", str(port), "--resume"]
    return subprocess.Popen([sys.executable, "-m", "semiology.cli", *words], stdout=subprocess.DEVNULL)


def _ready_at(folder: Path, reader: str, port: int, server: subprocess.Popen[bytes]) -> httpx.Client:
    base = f"http://127.0.0.1:{port}/{token_of(folder, f'token-{reader}')}/"
    client = httpx.Client(base_url=base, trust_env=False, timeout=60)
    while server.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            client.get("api/study").raise_for_status()
            return client
        time.sleep(0.1)
    pytest.fail(f"the server ended with status {server.returncode}")


@pytest.mark.slow
def test_two_readers_at_once_lose_nothing_on_a_kill(folder: Path) -> None:
    items = [item.item for item in read_study(folder).items]
    ports = {"AB": _free_port(), "CD": _free_port()}
    servers = {name: _start(folder, name, port) for name, port in ports.items()}
    try:
        clients = {name: _ready_at(folder, name, ports[name], servers[name]) for name in servers}
        for number, item in enumerate(items):
            for name, client in clients.items():
                body = {"answer": ("yes", "no")[(number + (name == "CD")) % 2], "seconds": 1.0 + number}
                client.put(f"api/answers/{item}", json=body).raise_for_status()
        third = CliRunner().invoke(
            command_line, ["review", "serve", str(folder), "--rater", "AB", "--resume"]
        )
        assert "two readers need two names" in str(third.exception)
    finally:
        for server in servers.values():
            server.send_signal(signal.SIGKILL)
            server.wait()
    store = AnswerStore(folder)
    for name in servers:
        kept = {each.item: each.answer for each in store.latest(name)}
        assert kept == {item: ("yes", "no")[(i + (name == "CD")) % 2] for i, item in enumerate(items)}
    store.close()


@pytest.mark.slow
def test_a_reader_answers_by_keyboard_and_is_timed(folder: Path, browser: Any) -> None:
    port = _free_port()
    server = _start(folder, "AB", port)
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        client = _ready_at(folder, "AB", port, server)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(str(client.base_url))
        expect = pytest.importorskip("playwright.sync_api").expect
        while page.locator("#video").evaluate("video => video.readyState") < 2:  # the clip is shown
            page.wait_for_timeout(50)
        for number, key in enumerate("ynat", start=1):
            page.wait_for_timeout(120)
            page.keyboard.press(key)
            expect(page.locator("#progress")).to_contain_text(f"{number} answered")
        expect(page.locator("#saved")).to_have_text("saved")
        assert not errors
    finally:
        context.close()
        server.send_signal(signal.SIGKILL)
        server.wait()
    store = AnswerStore(folder)
    kept = store.latest("AB")
    assert sorted(each.answer for each in kept) == ["cannot_tell", "na", "no", "yes"]
    assert all(0.1 <= each.seconds < 60 for each in kept)
    store.close()


def test_the_commands_from_a_run_to_readers_results(
    folder: Path, cut_once: Path, simulated_set: Path, tmp_path: Path
) -> None:
    shared = ["--protocol", "reader", "--features", ",".join(FEATURES), "--seed", "3"]
    without = CliRunner().invoke(
        command_line, ["review", "export", str(cut_once / "run"), "--out", str(folder), *shared],
        env={"SEMIOLOGY_DATA": None},
    )  # fmt: skip
    assert "--data" in str(without.exception)
    again = CliRunner().invoke(
        command_line,
        [
            "review",
            "export",
            str(cut_once / "run"),
            "--out",
            str(folder),
            "--data",
            str(simulated_set),
            *shared,
        ],
    )
    assert again.exit_code == 0, again.output
    assert f"{len(read_study(folder).items)} questions: 2 features, 2 recordings" in again.output
    for name in ("AB", "CD"):
        fill(folder, name, lambda item: item.truth)
    out = tmp_path / "out"
    done = CliRunner().invoke(
        command_line, ["review", "import", str(folder), "--out", str(out), "--resamples", "100"]
    )
    assert done.exit_code == 0, done.output
    assert "human reader AB" in done.output
    with (out / "reader_agreement.csv").open() as file:
        rows = {(row["feature"], row["coefficient"]): row["value"] for row in csv.DictReader(file)}
    assert float(rows["all features", "cohen_kappa"]) == 1.0
