"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from semiology.metrics.s3.text.bertscore import BertSimilarity

Resamples = Annotated[int, typer.Option(help="Patient resamples per interval.", min=100)]
Seed = Annotated[int, typer.Option(help="Seed of the patient bootstrap.")]
PolicyOption = Annotated[
    Literal["wrong", "drop"],
    typer.Option(help="What a recording without a yes or no answer counts as."),
]
JsonTable = Annotated[bool, typer.Option("--json", help="Print the table as JSON instead of for people.")]
BertscoreEncoder = Annotated[
    str | None,
    typer.Option(
        help="Folder of a transformers encoder (or its name on the model hub) for BERTScore of texts."
    ),
]
BertscoreDownload = Annotated[
    bool,
    typer.Option(
        "--allow-download",
        help="Let an encoder that is named and not on this machine be fetched from the model hub.",
    ),
]
BertscoreLayer = Annotated[
    int | None,
    typer.Option(help="Hidden layer compared; default: bert-score's own choice, else the last.", min=1),
]


def chosen_similarity(encoder: str | None, layer: int | None, *, download: bool) -> BertSimilarity | None:
    """Return BERTScore with the chosen encoder; None without one.

    Raises:
        EncoderError: the encoder cannot be used.
        BadParameter: a download is allowed, and no encoder is named.
    """
    if encoder is None:
        if download:
            raise typer.BadParameter("--allow-download fetches the encoder that --bertscore-encoder names")
        return None
    # Imported here: its library takes seconds.
    from semiology.metrics.s3.text.bertscore import BertSimilarity

    return BertSimilarity(encoder, download=download, layer=layer)
