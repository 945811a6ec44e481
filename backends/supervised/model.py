"""The lmms-eval model ``semiology_supervised``: the networks of ``semiology train`` answer like any other model.

``--model semiology_supervised --model_args pretrained=DIR`` takes the folder of a training. A patient of its recording
set is answered for by the networks of the fold that left the patient out, anybody else by the mean of all. P(yes)
stands in the sample files, as of a model that scores its first token.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lmms_eval.api.instance import GenerationResult, Instance

from semiology.backends.generation_only import GenerationOnly, ScoredTokenCounts
from semiology.backends.journal import failed_reply
from semiology.backends.supervised.frames import parts_of, window_pictures
from semiology.backends.supervised.learning import Clips, device_for, predict, trained_network
from semiology.backends.supervised.networks import Classifier
from semiology.backends.supervised.trained_folder import Unit, read_training
from semiology.data.cache import cache_directory, content_digest
from semiology.metrics.arrays import Floats

Document = Mapping[str, Any]
_LEAST = 1e-6
"""P(yes) is never shown nearer to 0 or 1, so that its logarithm is finite."""


class Supervised(GenerationOnly):
    """An lmms-eval chat model that answers from trained video classifiers and reads no question.

    Args:
        pretrained: the folder of a training.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        batch_size, max_batch_size: accepted because lmms-eval passes them; without effect.

    Raises:
        ValueError: the folder is not that of a finished training, or there is no such device.
    """

    is_simple = False

    def __init__(
        self,
        pretrained: str,
        device: str | None = "auto",
        batch_size: int | str = 1,
        max_batch_size: int | None = None,
    ) -> None:
        super().__init__()
        del batch_size, max_batch_size
        self.folder = Path(pretrained).expanduser()
        self.training = read_training(self.folder)
        if not self.training.units:
            raise ValueError(f"{self.folder}: no network is ready yet → finish `semiology train` first")
        self._device_kind = device or "auto"
        self._accelerator: Any = None
        self._networks: dict[str, Classifier] = {}

    def generate_until(self, requests: list[Instance]) -> list[GenerationResult]:
        """Return yes or no with P(yes) for every request, film by film, in their order.

        Raises:
            ValueError: a question is about a feature that nothing was trained on.
        """
        documents: list[Document] = [
            self.task_dict[task][split][number] for *_, number, task, split in (r.args for r in requests)
        ]
        strange = sorted({str(each.get("feature")) for each in documents} - set(self.training.features))
        if strange:
            tasks = ",".join(f"semiology_{name}" for name in self.training.features)
            raise ValueError(
                f"{self.folder}: nothing was trained on {', '.join(strange)} → ask --tasks {tasks}"
            )
        by_film: dict[str, list[int]] = {}
        for place, document in enumerate(documents):
            by_film.setdefault(str(document["video"]), []).append(place)
        replies: dict[int, GenerationResult] = {}
        for film, places in by_film.items():
            replies |= dict(zip(places, self._film(Path(film), [documents[p] for p in places]), strict=True))
        return [replies[place] for place in range(len(documents))]

    def _film(self, film: Path, documents: Sequence[Document]) -> list[GenerationResult]:
        """Return the replies to questions about one film."""
        windows = sorted({(float(each["start_s"]), float(each["end_s"])) for each in documents})
        recipe = self.training.recipe
        parts = [part for start, end in windows for part in parts_of(start, end, recipe)]
        pictures, faults = window_pictures(film, parts, recipe)
        digest = content_digest(film, cache_directory())
        clips = Clips(list(pictures), np.full((len(parts), 1), np.nan))
        known: dict[str, Floats] = {}
        replies = []
        for document in documents:
            place = windows.index((float(document["start_s"]), float(document["end_s"])))
            feature = str(document["feature"])
            units = self.training.units_for(str(document["patient_id"]), digest, feature)
            own = range(place * recipe.clips, (place + 1) * recipe.clips)
            unread = [faults[part] for part in own if part in faults]
            if unread or not units:
                why = unread[0] if unread else "every network has learned from this patient or this film"
                replies.append(GenerationResult(text=failed_reply(why)))
                continue
            for unit in units:
                if unit.checkpoint not in known:
                    every = np.arange(len(parts))
                    known[unit.checkpoint] = predict(
                        self._network(unit), clips, every, recipe, self._accelerator
                    )
            found = [known[unit.checkpoint][own, unit.features.index(feature)].max() for unit in units]
            p = float(np.mean(found))
            threshold = float(np.mean([unit.thresholds[feature]["max"] for unit in units]))
            replies.append(_reply(p, threshold, str(document["polarity"])))
        return replies

    def _network(self, unit: Unit) -> Classifier:
        if self._accelerator is None:
            self._accelerator = device_for(self._device_kind, self.training.recipe.precision)
        if unit.checkpoint not in self._networks:
            self._networks[unit.checkpoint] = trained_network(
                self.folder / unit.checkpoint, self.training.recipe, self._accelerator
            )
        return self._networks[unit.checkpoint]


def _reply(p: float, threshold: float, polarity: str) -> GenerationResult:
    """Return "yes" where the feature is more likely than the threshold; turned round for a negative question."""
    with_feature = p > threshold
    held = min(max(p, _LEAST), 1 - _LEAST)
    yes, no = (held, 1 - held) if polarity != "negative" else (1 - held, held)
    said = "yes" if with_feature == (polarity != "negative") else "no"
    counts = ScoredTokenCounts({"yes": math.log(yes), "no": math.log(no)}, output_tokens=1)
    return GenerationResult(text=said, token_counts=counts)
