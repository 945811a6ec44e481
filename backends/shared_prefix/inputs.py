"""The media of a window as a model's input tensors, made once, and the token ids of every prompt about it.

The processor runs once per window, with the first prompt. For every other prompt the complete text of the
template is tokenised and the media's placeholders are put in at token level; where the expanded placeholders
end in plain text, which may merge with the question, the complete expanded text is tokenised instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from semiology.backends.shared_prefix.frames import Frames
from semiology.backends.shared_prefix.loading import Checkpoint, Family
from semiology.backends.shared_prefix.questions import Question, UnansweredError, with_system_prompt
from semiology.backends.shared_prefix.sampling import Picked, Sampling, resize_as_qwen
from semiology.render.text import first_line

PER_TOKEN = ("input_ids", "attention_mask", "mm_token_type_ids", "token_type_ids")
"""Inputs with one value per token; all others belong to the media."""

MEDIA_VALUES = ("pixel_values", "pixel_values_videos", "input_features")
"""Inputs that are cast to the model's type; positions and sizes keep theirs."""


@dataclass(frozen=True)
class WindowMedia:
    """What a window shows and sounds like, before the processor: videos with how their frames were picked,
    pictures as they were handed over, mono waveforms at the rate of the processor.
    """

    videos: Sequence[tuple[Frames, Picked]] = ()
    images: Sequence[Any] = ()
    audio: Sequence[Any] = ()


def media_of(question: Question, videos: Sequence[tuple[Frames, Picked]]) -> WindowMedia:
    """Return the media of a question: the frames that were read, and what its messages hold themselves."""
    parts = [part for message in with_system_prompt(question.build(), None) for part in message["content"]]
    images = [part["url"] for part in parts if part["type"] == "image"]
    audio = [part["url"] for part in parts if part["type"] == "audio"]
    if any(isinstance(sound, str) for sound in audio):
        raise UnansweredError("sound must be handed over as a waveform (SEMIOLOGY_SOUND=array)")
    return WindowMedia(videos, images, audio)


def render(checkpoint: Checkpoint, question: Question) -> str:
    """Return the complete prompt as text, one placeholder per medium, ready for the model's answer."""
    return str(
        checkpoint.processor.apply_chat_template(
            question.messages, tokenize=False, add_generation_prompt=True
        )
    )


def process(checkpoint: Checkpoint, text: str, media: WindowMedia, sampling: Sampling) -> dict[str, Any]:
    """Run the processor on one complete prompt.

    Returns:
        Its output on the CPU, with ``text_replacement_offsets`` where the processor can give them.

    Raises:
        UnansweredError: the processor refuses the media, or cuts the sound short.
    """
    processor, family = checkpoint.processor, checkpoint.family
    arguments: dict[str, Any] = {"text": [text], "return_tensors": "pt", **family.processor_arguments}
    if not media.videos:
        arguments = {"text": [text], "return_tensors": "pt"}
    else:
        arguments["videos"] = [_pictures(checkpoint, frames, sampling) for frames, _ in media.videos]
        arguments["video_metadata"] = [told_of_video(family, picked) for _, picked in media.videos]
        if family.rate_argument:
            arguments["fps"] = float(sampling.fps or media.videos[0][1].shown_fps)
    if media.images:
        arguments["images"] = list(media.images)
    if media.audio:
        if getattr(processor, "feature_extractor", None) is None:
            raise UnansweredError(f"{type(processor).__name__} takes no sound; ask this model without it")
        arguments["audio"] = list(media.audio)
    if hasattr(processor, "return_text_replacement_offsets"):
        arguments["return_text_replacement_offsets"] = True
    try:
        output = dict(processor(**arguments))
    except (ValueError, IndexError, TypeError, RuntimeError) as error:
        raise UnansweredError(f"the processor refuses the media: {first_line(error)}") from error
    if media.audio and "feature_attention_mask" in output:
        _check_heard(processor.feature_extractor, output["feature_attention_mask"], media.audio)
    return output


def _check_heard(extractor: Any, heard: torch.Tensor, sounds: Sequence[Any]) -> None:
    """Raise UnansweredError where fewer steps of a sound were taken than it has; ``heard`` is (sounds, steps)."""
    for steps, sound in zip(heard.sum(dim=-1).tolist(), sounds, strict=True):
        if (steps + 1) * extractor.hop_length < len(sound):
            rate = extractor.sampling_rate
            raise UnansweredError(
                f"{type(extractor).__name__} takes {steps * extractor.hop_length / rate:.1f} of "
                f"{len(sound) / rate:.1f} s of sound: ask about shorter segments (SEMIOLOGY_WINDOW)"
            )


def _pictures(checkpoint: Checkpoint, frames: Frames, sampling: Sampling) -> torch.Tensor:
    """Return frames as the processor takes them, shape (frames, 3, height, width)."""
    if not checkpoint.family.qwen_frames:
        return torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous()
    return resize_as_qwen(frames, sampling, int(checkpoint.processor.video_processor.patch_size))


def told_of_video(family: Family, picked: Picked) -> dict[str, Any]:
    """Return what the processor is told of a video; Qwen reads the times of frames from it."""
    told = {"fps": picked.fps, "total_num_frames": picked.available, "video_backend": "decord"}
    if family.relative_times:
        numbers = [number - picked.first for number in picked.numbers]
        return told | {"frames_indices": numbers, "duration": picked.available / picked.fps}
    return told | {"frames_indices": list(picked.numbers)}


class WindowInputs:
    """A window's tensors and the token ids of all prompts about it."""

    def __init__(self, checkpoint: Checkpoint, text: str, media: WindowMedia, sampling: Sampling) -> None:
        """Run the processor with the first prompt.

        Raises:
            UnansweredError: the processor refuses the media.
        """
        self._checkpoint, self._media, self._sampling = checkpoint, media, sampling
        output = process(checkpoint, text, media, sampling)
        offsets = output.pop("text_replacement_offsets", None)
        self._expansion = Expansion(
            checkpoint.tokenizer, text, ids_of(output), offsets[0] if offsets else None
        )
        # Which token stands for which kind of medium; None where the model does not ask for it.
        self._types: dict[int, int] | None = None
        if "mm_token_type_ids" in output:
            types = [int(kind) for kind in output["mm_token_type_ids"][0]]
            self._types = {token: kind for token, kind in zip(ids_of(output), types, strict=True) if kind}
        self.tensors = {name: value for name, value in output.items() if name not in PER_TOKEN}
        self.tensors.pop("video_metadata", None)

    def ids(self, text: str) -> list[int]:
        """Return the token ids of a complete prompt about this window, media included."""
        found = self._expansion.expand(text)
        return self.ids_by_processor(text) if found is None else found

    def ids_by_processor(self, text: str) -> list[int]:
        """Return the same from the processor itself, which prepares the pixels again."""
        return ids_of(process(self._checkpoint, text, self._media, self._sampling))

    def model_inputs(self, ids: Sequence[int]) -> dict[str, Any]:
        """Return the complete inputs of the model for one prompt, on its device."""
        device, dtype = self._checkpoint.device, self._checkpoint.model.dtype
        tokens = torch.tensor([list(ids)], dtype=torch.long)
        inputs: dict[str, Any] = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
        if self._types is not None:
            inputs["mm_token_type_ids"] = torch.tensor([[self._types.get(token, 0) for token in ids]])
        inputs |= self.tensors
        return {
            name: value.to(device, dtype) if name in MEDIA_VALUES and hasattr(value, "to")
            else value.to(device) if hasattr(value, "to") else value
            for name, value in inputs.items()
        }  # fmt: skip


def ids_of(output: Mapping[str, Any]) -> list[int]:
    """Return the token ids of a processor's output for one prompt."""
    return [int(token) for token in output["input_ids"][0]]


class Expansion:
    """How the short placeholders of a window become the long ones, learned from the first prompt."""

    def __init__(
        self, tokenizer: Any, text: str, full: Sequence[int], offsets: Sequence[Mapping[str, Any]] | None
    ) -> None:
        """Compare the short and the full ids of the first prompt.

        ``text`` is rendered with short placeholders, ``full`` are its ids after the processor, ``offsets`` the
        replacements that the processor made in the text, in order, if it tells them.
        """
        self._tokenizer, self._offsets = tokenizer, offsets
        short = self._tokens(text)
        same = shared_length(short, full)
        rest = min(len(short), len(full)) - same
        tail = shared_length(short[::-1][:rest], list(full)[::-1][:rest])
        self._head = short[: len(short) - tail]
        self._shared = list(full[: len(full) - tail])
        # Beyond a special token nothing can merge, so what follows may be tokenised on its own.
        closed = not self._shared or self._shared[-1] in tokenizer.added_tokens_decoder
        self._by_token = closed and self._head + list(full[len(full) - tail :]) == short
        self._by_text = offsets is not None and self._tokens(self._expanded(text)) == list(full)

    def expand(self, text: str) -> list[int] | None:
        """Return the full ids of another prompt, or None where only the processor can tell."""
        if self._by_token:
            short = self._tokens(text)
            if short[: len(self._head)] == self._head:
                return self._shared + short[len(self._head) :]
        return self._tokens(self._expanded(text)) if self._by_text else None

    def _tokens(self, text: str) -> list[int]:
        return [int(token) for token in self._tokenizer(text)["input_ids"]]

    def _expanded(self, text: str) -> str:
        done, rest = "", text
        for replacement in self._offsets or ():
            before, placeholder, rest = rest.partition(replacement["text"])
            done += before + (replacement["replacement"] if placeholder else "")
        return done + rest


def shared_length(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many first tokens two prompts share."""
    for index, (mine, yours) in enumerate(zip(one, other, strict=False)):
        if mine != yours:
            return index
    return min(len(one), len(other))
