"""Questions about videos as a model's inputs, read and processed as in a run of ``semiology_hf``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from semiology.backends.shared_prefix.loading import Checkpoint
    from semiology.backends.shared_prefix.sampling import Sampling

OFFSETS = "text_replacement_offsets"


class VideoPrompts:
    """Prompts with their videos as a model's inputs, each video read once."""

    def __init__(self, checkpoint: Checkpoint, sampling: Sampling) -> None:
        self.checkpoint, self.sampling = checkpoint, sampling
        self._read: dict[str, Any] = {}
        tokenizer = checkpoint.tokenizer
        self.pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id

    def prompt(self, messages: Sequence[Mapping[str, Any]]) -> tuple[list[int], dict[str, torch.Tensor]]:
        """Return the token ids of a prompt up to the model's turn, and its media."""
        from semiology.backends.shared_prefix.inputs import PER_TOKEN, WindowMedia, process

        text = self.checkpoint.processor.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=True
        )
        output = process(self.checkpoint, text, WindowMedia([self._video(_path(messages))]), self.sampling)
        media = {name: value for name, value in output.items() if name not in (*PER_TOKEN, OFFSETS)}
        return output["input_ids"][0].tolist(), {name: _tensor(value) for name, value in media.items()}

    def _video(self, path: str) -> Any:
        from semiology.backends.shared_prefix.frames import DecordReader
        from semiology.backends.shared_prefix.questions import Medium, UnansweredError
        from semiology.backends.shared_prefix.sampling import pick_as_qwen, pick_with_processor

        if path not in self._read:
            with DecordReader().open(path) as recording:
                medium, family = Medium("video", path), self.checkpoint.family
                if family.qwen_frames:
                    picked = pick_as_qwen(medium, recording.facts, self.sampling, family.cap_with_fps)
                else:
                    picked = pick_with_processor(
                        medium, recording.facts, self.sampling, self.checkpoint.processor
                    )
                (frames,) = recording.windows([picked.numbers])
                if isinstance(frames, UnansweredError):
                    raise frames
                self._read[path] = (frames, picked)
        return self._read[path]

    def batch(
        self, rows: Sequence[Sequence[int]], media: Sequence[Mapping[str, torch.Tensor]], *, left: bool
    ) -> dict[str, torch.Tensor]:
        """Return rows of token ids with their media as one batch, padded at the left (to generate) or the right."""
        import torch

        longest = max(map(len, rows))
        ids = torch.full((len(rows), longest), self.pad)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for number, row in enumerate(rows):
            place = slice(longest - len(row), longest) if left else slice(0, len(row))
            ids[number, place] = torch.tensor(row)
            mask[number, place] = 1
        return {"input_ids": ids, "attention_mask": mask, **self.media(ids, media)}

    def media(
        self, ids: torch.Tensor, media: Sequence[Mapping[str, torch.Tensor]]
    ) -> dict[str, torch.Tensor]:
        """Return the media of a batch, one after the other, and which tokens stand for them."""
        import torch

        config = self.checkpoint.model.config
        kinds = torch.zeros_like(ids)
        kinds[ids == config.video_token_id] = 2
        kinds[ids == config.image_token_id] = 1
        joined = {name: torch.cat([each[name] for each in media]) for name in media[0]}
        return {**joined, "mm_token_type_ids": kinds}


def _tensor(value: Any) -> torch.Tensor:
    import torch

    return value if isinstance(value, torch.Tensor) else torch.tensor(value)


def _path(messages: Sequence[Mapping[str, Any]]) -> str:
    return str(next(part["video"] for part in messages[-1]["content"] if part["type"] == "video"))
