"""BERTScore of a text with a reference, by the bert-score library, with an encoder that the user names.

Like BLEU and ROUGE it does not know what is clinically right (arXiv 2605.21852, Table 10: correlation with
expert ratings 0.07). Encoder and layer belong beside the score, which depends on both; it is not rescaled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semiology.metrics.arrays import Floats
from semiology.privacy.model_hub import hub_folder

LONGEST = 20_000
_FILES = ("*.json", "*.safetensors", "*.txt", "*.model")


class EncoderError(ValueError):
    """The encoder cannot be used; the message says what is wrong and what to do."""


class BertSimilarity:
    """BERTScore with one encoder; no pair of texts is compared twice.

    Args:
        encoder: folder of a transformers encoder with its tokenizer, or its name on the model hub.
        download: whether a named encoder that is not on this machine may be fetched from the hub (nothing is
            sent there but the name).
        layer: number of the hidden layer compared; by default bert-score's choice for an encoder that it
            knows by name, else the last.
        batch_size: texts encoded at once.

    Weights are read from safetensors files alone, and no code that comes with them is run.

    Raises:
        EncoderError: there is no such encoder, it has no safetensors file, or no such layer.
    """

    def __init__(
        self, encoder: str, *, download: bool = False, layer: int | None = None, batch_size: int = 16
    ) -> None:
        self.folder = _local(encoder, download)
        self.layer = _layer(self.folder, encoder, layer)
        self.name = f"{Path(encoder).name if Path(encoder).is_dir() else encoder}, layer {self.layer}"
        self._batch_size = batch_size
        self._scorer: Any = None
        self._known: dict[tuple[str, str], float] = {}

    def __call__(self, texts: Sequence[str], references: Sequence[str]) -> Floats:
        """Return the BERTScore F1 of each text with its reference, shape (n,); 0 for an empty text.

        Raises:
            ValueError: there is no text, or the lengths differ.
            EncoderError: the encoder's files cannot be loaded.
        """
        if len(texts) != len(references) or not len(texts):
            raise ValueError(
                f"{len(texts)} texts and {len(references)} references → give one reference per text"
            )
        pairs = [(text[:LONGEST], one[:LONGEST]) for text, one in zip(texts, references, strict=True)]
        fresh = list(dict.fromkeys(pair for pair in pairs if all(map(str.strip, pair))))
        fresh = [pair for pair in fresh if pair not in self._known]
        if fresh:
            _, _, f1 = self._loaded().score(
                [text for text, _ in fresh], [one for _, one in fresh], batch_size=self._batch_size
            )
            self._known.update(zip(fresh, np.asarray(f1, dtype=np.float64).tolist(), strict=True))
        return np.array([self._known.get(pair, 0.0) for pair in pairs], dtype=np.float64)

    def _loaded(self) -> Any:
        if self._scorer is None:
            from bert_score import BERTScorer

            try:
                self._scorer = BERTScorer(
                    model_type=str(self.folder), num_layers=self.layer, batch_size=self._batch_size
                )
            except (AssertionError, OSError, ValueError, ImportError) as error:
                raise EncoderError(
                    f"{self.name}: bert-score cannot load this encoder ({error}) → give the folder of a "
                    "transformers encoder, such as roberta-large, with its tokenizer"
                ) from error
            # The tokenizer must cut texts where the encoder has no more positions, also if nobody told it so.
            positions = getattr(self._scorer._model.config, "max_position_embeddings", None)
            if isinstance(positions, int) and self._scorer._tokenizer.model_max_length > positions:
                self._scorer._tokenizer.model_max_length = positions - 2  # RoBERTa counts positions from 2
        return self._scorer


def _local(encoder: str, download: bool) -> Path:
    """Return the folder of an encoder, also where it is a name on the hub."""
    folder = Path(encoder).expanduser()
    if not folder.exists():
        try:
            folder = hub_folder(encoder, _FILES, download=download)
        except ValueError as error:
            raise EncoderError(str(error)) from error
    if not (folder / "config.json").is_file():
        raise EncoderError(
            f"{encoder} holds no encoder (no config.json) → give the folder of a downloaded one"
        )
    if not any(folder.glob("*.safetensors")):
        raise EncoderError(
            f"{encoder}: its weights are in no safetensors file → other files can run code when they are "
            "read; save it again by save_pretrained"
        )
    return folder


def _layer(folder: Path, encoder: str, chosen: int | None) -> int:
    from bert_score.utils import model2layers

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    layers = next(
        (config[key] for key in ("num_hidden_layers", "n_layers", "n_layer") if key in config), None
    )
    known = model2layers.get(encoder.rstrip("/"), model2layers.get(Path(encoder).name))
    found = chosen if chosen is not None else known if known is not None else layers
    if not isinstance(found, int) or found < 1 or (isinstance(layers, int) and found > layers):
        raise EncoderError(
            f"{encoder} has {layers} layers, not {found} → --bertscore-layer takes 1 to {layers}"
        )
    return found
