"""The options with which a command takes an encoder for BERTScore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from semiology.metrics.bert_similarity import BertSimilarity

BertscoreEncoder = Annotated[
    str | None,
    typer.Option(
        help="Folder of a transformers encoder (or its name on the model hub) for BERTScore of texts."
    ),
]
BertscoreLayer = Annotated[
    int | None,
    typer.Option(help="Hidden layer compared; default: bert-score's own choice, else the last.", min=1),
]


def chosen_similarity(encoder: str | None, layer: int | None) -> BertSimilarity | None:
    """Return BERTScore with the chosen encoder; None without one.

    Raises:
        EncoderError: the encoder cannot be used.
    """
    if encoder is None:
        return None
    # Imported here: its library takes seconds.
    from semiology.metrics.bert_similarity import BertSimilarity

    return BertSimilarity(encoder, layer=layer)
