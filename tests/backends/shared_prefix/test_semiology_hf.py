"""The lmms-eval class: the stock class's answers on the embedded model, and its manners inside lmms-eval."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lmms_eval.api.instance import Instance
from scene import messages

from semiology.backends.embedded.sees import CHECKPOINT, MODEL_ARGS
from semiology.backends.journal import FAILED
from semiology.backends.semiology_hf import SemiologyHF
from semiology.features import FEATURES
from semiology.prompts.library import load_library, render

SETTINGS = {"max_new_tokens": 16, "temperature": 0, "do_sample": False, "until": []}
WINDOWS = ((2.0, 10.0), (9.0, 16.0))


def wordings(features: Sequence[str], most: int) -> list[str]:
    """Return the full prompts of some features in up to so many wordings."""
    library = load_library()
    return [render(prompt) for feature in features for prompt in library.feature(feature).prompts[:most]]


def requests_for(model: Any, documents: Sequence[tuple[Path, str, tuple[float, float]]]) -> list[Instance]:
    """Return the requests that lmms-eval would make of these documents, and tell the model about them."""
    model.task_dict = {"task": {"test": [list(document) for document in documents]}}

    def to_messages(document: Any) -> Any:
        film, text, window = document
        return messages(film, text, window)

    return [
        Instance(
            request_type="generate_until",
            arguments=(document[1], to_messages, dict(SETTINGS), number, "task", "test"),
            idx=0,
            metadata={"task": "task", "doc_id": number, "repeats": 1},
        )
        for number, document in enumerate(documents)
    ]


def documents_of(film: Path, texts: Sequence[str]) -> list[tuple[Path, str, tuple[float, float]]]:
    return [(film, text, window) for text in texts for window in WINDOWS]


def replies(model: Any, documents: Sequence[tuple[Path, str, tuple[float, float]]]) -> list[str]:
    return [result.text for result in model.generate_until(requests_for(model, documents))]


def ours(**more: Any) -> SemiologyHF:
    return SemiologyHF(str(CHECKPOINT), **{**MODEL_ARGS, "journal": "none", **more})


def stock() -> Any:
    from lmms_eval.models.chat.qwen2_5_vl import Qwen2_5_VL

    return Qwen2_5_VL(str(CHECKPOINT), **MODEL_ARGS)


def test_the_embedded_model_answers_as_through_the_stock_class(film: Path) -> None:
    """In the stock class's type, bfloat16, with its sampling."""
    documents = documents_of(film, wordings(("tonic", "close_eyes", "occur_during_sleep"), 1))
    model = ours()
    assert replies(model, documents) == replies(stock(), documents)
    assert model.model.dtype == torch.bfloat16
    assert (model.counts.opens, model.counts.decodes, model.counts.prefix_prefills) == (1, 2, 2)
    assert model.counts.sharing == {"packed": 6}


@pytest.mark.slow
def test_the_embedded_model_answers_all_features_in_many_wordings_as_through_the_stock_class(
    film: Path,
) -> None:
    documents = documents_of(film, wordings(FEATURES, 4))
    assert len(documents) > 150
    model = ours()
    assert replies(model, documents) == replies(stock(), documents)
    assert (model.counts.opens, model.counts.prefix_prefills) == (1, 2)


def test_scores_reach_lmms_evals_samples(film: Path) -> None:
    model = ours(dtype="float32", score="logprob")
    results = model.generate_until(requests_for(model, documents_of(film, wordings(("tonic", "clonic"), 1))))
    for result in results:
        told = json.loads(json.dumps(result.token_counts.to_dict()))
        scores = told["first_token_logprobs"]
        assert set(scores) == {"yes", "no", "NA"}
        assert result.text == max(scores, key=scores.get)
        assert all(score < 0 for score in scores.values())
        assert told["output_tokens"] == 1
    assert len({result.token_counts.scores["yes"] for result in results}) > 1


def test_a_request_that_fails_is_marked_in_its_place(film: Path, tmp_path: Path) -> None:
    model = ours(dtype="float32")
    texts = wordings(("tonic", "clonic"), 1)
    documents = [
        (film, texts[0], WINDOWS[0]),
        (tmp_path / "gone.mp4", texts[0], WINDOWS[0]),
        (film, texts[1], (500.0, 530.0)),
        (film, texts[1], WINDOWS[0]),
    ]
    answers = replies(model, documents)
    assert answers[1].startswith(FAILED)
    assert "gone.mp4" in answers[1]
    assert FAILED in answers[2]
    assert {answers[0], answers[3]} <= {"yes", "no"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"score": "maybe"}, "logprob or none"),
        ({"dtype": "int4"}, "bfloat16"),
        ({"sharing": "all"}, "auto or one of"),
        ({"fps": 0}, "above 0"),
        ({"device": "quantum", "device_map": ""}, "give auto"),
        ({"score": "logprob", "answers": "yes|perhaps"}, "single token"),
    ],
)
def test_unusable_arguments_end_in_a_sentence(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ours(**({"device_map": "", **wrong}))


def test_other_kinds_of_request_are_refused() -> None:
    model = ours(dtype="float32")
    with pytest.raises(NotImplementedError, match="logprob"):
        model.loglikelihood([])
    with pytest.raises(NotImplementedError, match="one round"):
        model.generate_until_multi_round([])
    model.clean()
    assert not hasattr(model, "engine")


def test_lmms_eval_knows_it_by_name() -> None:
    from lmms_eval.models import MODEL_REGISTRY_V2

    assert "semiology_hf" in MODEL_REGISTRY_V2.list_model_names()
