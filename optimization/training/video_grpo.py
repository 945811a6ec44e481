"""TRL's GRPO trainer with videos in its prompts.

TRL 1.16 hands pictures to the model when it computes log-probabilities, and no videos: a model would be trained as if
it saw nothing. Three places are taken over: prompts become tokens and media by `VideoPrompts`; each row of a batch
keeps the number of its prompt, since TRL shuffles rows; log-probabilities are computed with the media of those prompts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
from trl import GRPOTrainer

if TYPE_CHECKING:
    from semiology.optimization.training.video_prompts import VideoPrompts

ROW = "prompt_number"


class VideoGRPOTrainer(GRPOTrainer):  # type: ignore[misc]
    """GRPO on questions about videos; rows of the data set carry ``messages`` as JSON beside ``prompt``."""

    def __init__(self, prompts: VideoPrompts, *args: Any, **kwargs: Any) -> None:
        self.prompts = prompts
        self._known: list[str] = []
        self._rows: list[int] = []
        super().__init__(*args, **kwargs)

    def _media_of(self, number: int) -> dict[str, torch.Tensor]:
        return self.prompts.prompt(json.loads(self._known[number]))[1]

    def _tokenize_prompts(self, prompts: list[Any]) -> tuple[list[list[int]], None, dict[str, Any]]:
        del prompts  # the text alone: the messages, with their videos, were noted by the caller
        made = [self.prompts.prompt(json.loads(self._known[number])) for number in self._rows]
        batch = self.prompts.batch([ids for ids, _ in made], [media for _, media in made], left=True)
        kept = {name: value for name, value in batch.items() if name not in ("input_ids", "attention_mask")}
        return [ids for ids, _ in made], None, kept

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        for each in inputs:
            if each["messages"] not in self._known:
                self._known.append(each["messages"])
        self._rows = [self._known.index(each["messages"]) for each in inputs]
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        output[ROW] = torch.tensor(self._rows)
        return output

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        self._rows = inputs[ROW].tolist()
        loss: torch.Tensor = super()._compute_loss(model, inputs)
        return loss

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor, None]:
        del args, kwargs  # chunks and pictures
        media = self.prompts.media(input_ids, [self._media_of(number) for number in self._rows])
        labels = input_ids.masked_fill(attention_mask == 0, -100)
        labels[:, :-logits_to_keep] = -100
        moved = {name: value.to(input_ids.device) for name, value in media.items()}
        outputs = model(
            input_ids=input_ids, attention_mask=attention_mask, labels=labels, fused_lm_head=True, **moved
        )
        return outputs.log_probs[:, -logits_to_keep:], outputs.entropy[:, -logits_to_keep:], None
