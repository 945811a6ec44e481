"""BERTScore with a miniature encoder of random weights: what is compared, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bert_score.utils import model2layers

from semiology.metrics.s3.text.bertscore import BertSimilarity, EncoderError

WORDS = ["head", "turns", "left", "arm", "stiff", "then", "clonic", "jerks"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A miniature encoder with random weights and a vocabulary of our words."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def test_scores_are_symmetric_and_full_for_equal_texts(encoder: Path) -> None:
    given_texts = ["head turns left", "arm stiff", "", "clonic jerks then stiff"]
    references = ["head turns left", "clonic jerks", "arm stiff", "arm turns"]
    similarity = BertSimilarity(str(encoder))
    assert similarity.name == f"{encoder.name}, layer 2"
    scores = similarity(given_texts, references)
    swapped = similarity(references, given_texts)
    assert scores[0] == pytest.approx(1, abs=1e-5)
    assert 0 < scores[1] < 0.999
    assert scores[2] == 0
    np.testing.assert_allclose(scores, swapped, atol=1e-5)
    assert similarity(["arm stiff", " ", "arm stiff"], ["", "arm stiff", " "]).tolist() == [0, 0, 0]
    # A looping text is longer than the encoder has positions.
    assert 0 < similarity(["left " * 500], ["head turns left"])[0] <= 1
    with pytest.raises(ValueError, match="one reference per text"):
        similarity(["a"], [])


def test_the_layer_is_the_one_asked_for(encoder: Path) -> None:
    texts, references = ["head turns left"], ["arm stiff then"]
    one, two = (BertSimilarity(str(encoder), layer=layer)(texts, references)[0] for layer in (1, 2))
    assert one != two
    with pytest.raises(EncoderError, match="has 2 layers, not 3"):
        BertSimilarity(str(encoder), layer=3)


def test_encoders_that_cannot_be_used_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EncoderError, match="holds no encoder"):
        BertSimilarity(str(tmp_path))
    (tmp_path / "config.json").write_text('{"num_hidden_layers": 2}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(EncoderError, match="no safetensors file"):
        BertSimilarity(str(tmp_path))
    with pytest.raises(EncoderError, match="no such folder"):
        BertSimilarity("not a name of the hub!")


@pytest.mark.parametrize(
    ("name", "config", "asked", "layer"),
    [
        ("own", {"num_hidden_layers": 12}, None, 12),
        ("own", {"n_layers": 6}, None, 6),
        ("own", {"n_layer": 4}, None, 4),
        ("own", {"num_hidden_layers": 12}, 1, 1),
        ("own", {"num_hidden_layers": 12}, 12, 12),
        ("roberta-large", {"num_hidden_layers": 24}, None, model2layers["roberta-large"]),
        ("roberta-large", {"num_hidden_layers": 24}, 3, 3),
        ("own", {}, 7, 7),
    ],
)
def test_the_layer_is_the_one_asked_for_or_known_by_name_or_the_last(
    tmp_path: Path, name: str, config: dict[str, int], asked: int | None, layer: int
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"")
    found = BertSimilarity(str(folder), layer=asked)
    assert (found.layer, found.name) == (layer, f"{name}, layer {layer}")
    for strange in (0, -1, *([max(config.values()) + 1] if config else [])):
        with pytest.raises(EncoderError, match=f"not {strange}"):
            BertSimilarity(str(folder), layer=strange)
