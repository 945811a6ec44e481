"""Miniature random models of the supported architectures, with their own processors, built from config.

Weights are float32 and random; special tokens have the names of the published tokenizers. Nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from miniature_tokenizers import END, PAD, ids, qwen_tokenizer, template, tokenizer
from transformers import (
    GenerationConfig,
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLProcessor,
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    LlavaOnevisionProcessor,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2_5OmniProcessor,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    Qwen3OmniMoeProcessor,
    Qwen3OmniMoeThinkerForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    WhisperFeatureExtractor,
)
from transformers.models.internvl.video_processing_internvl import InternVLVideoProcessor
from transformers.models.llava_onevision.image_processing_llava_onevision import LlavaOnevisionImageProcessor
from transformers.models.llava_onevision.video_processing_llava_onevision import LlavaOnevisionVideoProcessor
from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniThinkerConfig
from transformers.models.qwen3_omni_moe.configuration_qwen3_omni_moe import Qwen3OmniMoeThinkerConfig
from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor
from transformers.models.smolvlm import processing_smolvlm
from transformers.models.smolvlm.image_processing_smolvlm import SmolVLMImageProcessor
from transformers.models.smolvlm.video_processing_smolvlm import SmolVLMVideoProcessor

TEXT = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "initializer_range": 0.3,
}
"""A wide initialisation, so that the next tokens depend on the prompt and differ between questions."""


def finished(model: Any, tok: Any, seed: int = 0) -> Any:
    """Give a model random weights and a generation config with a repetition penalty, as checkpoints have."""
    end, pad = (tok.convert_tokens_to_ids(token) for token in (END, PAD))
    model.generation_config = GenerationConfig(
        do_sample=False, repetition_penalty=1.05, eos_token_id=[end, pad], pad_token_id=pad
    )
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:  # keep norms and biases as they are
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.12)
    return model.float().eval()


def qwen2_5_vl() -> tuple[Any, Any]:
    tok = qwen_tokenizer()
    geometry = {"patch_size": 14, "merge_size": 2, "temporal_patch_size": 2}
    size = {"shortest_edge": 28 * 28, "longest_edge": 56 * 84}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size, **geometry),
        tokenizer=tok,
        video_processor=Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False, **geometry),
        chat_template=tok.chat_template,
    )
    config = Qwen2_5_VLConfig(
        text_config=TEXT | {"vocab_size": len(tok), "rope_parameters": mrope(), "pad_token_id": None},
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": 64,
            "window_size": 56,
            "fullatt_block_indexes": [1],
            "tokens_per_second": 2,
        },
        **ids(
            tok,
            image_token_id="<|image_pad|>",
            video_token_id="<|video_pad|>",
            vision_start_token_id="<|vision_start|>",
            vision_end_token_id="<|vision_end|>",
        ),
    )
    return finished(Qwen2_5_VLForConditionalGeneration(config), tok), processor


def mrope(**more: Any) -> dict[str, Any]:
    return {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 2, 2], **more}


def qwen3_vl() -> tuple[Any, Any]:
    tok = qwen_tokenizer()
    geometry = {"patch_size": 16, "merge_size": 2, "temporal_patch_size": 2}
    size = {"shortest_edge": 32 * 32, "longest_edge": 64 * 96 * 32}
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size, **geometry),
        tokenizer=tok,
        video_processor=Qwen3VLVideoProcessor(size=size, cap_pixels_per_frame=False, **geometry),
        chat_template=tok.chat_template,
    )
    config = Qwen3VLConfig(
        text_config=TEXT
        | {"vocab_size": len(tok), "head_dim": 16, "rope_parameters": mrope(mrope_interleaved=True)},
        vision_config={
            "depth": 3,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": 64,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0, 1],
        },
        **ids(
            tok,
            image_token_id="<|image_pad|>",
            video_token_id="<|video_pad|>",
            vision_start_token_id="<|vision_start|>",
            vision_end_token_id="<|vision_end|>",
        ),
    )
    return finished(Qwen3VLForConditionalGeneration(config), tok), processor


def omni_ids(tok: Any) -> dict[str, int]:
    return ids(
        tok,
        audio_token_id="<|AUDIO|>",
        image_token_id="<|image_pad|>",
        video_token_id="<|video_pad|>",
        vision_start_token_id="<|vision_start|>",
        vision_end_token_id="<|vision_end|>",
        audio_start_token_id="<|audio_bos|>",
        audio_end_token_id="<|audio_eos|>",
    )


AUDIO = {
    "num_mel_bins": 16,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 48,
    "d_model": 32,
}


def qwen2_5_omni() -> tuple[Any, Any]:
    tok = qwen_tokenizer()
    geometry = {"patch_size": 14, "merge_size": 2, "temporal_patch_size": 2}
    size = {"shortest_edge": 28 * 28, "longest_edge": 56 * 84}
    processor = Qwen2_5OmniProcessor(
        image_processor=Qwen2VLImageProcessor(size=size, **geometry),
        video_processor=Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False, **geometry),
        feature_extractor=WhisperFeatureExtractor(feature_size=16, chunk_length=60),
        tokenizer=tok,
        chat_template=tok.chat_template,
    )
    processor.videos_kwargs = {"size": size}
    config = Qwen2_5OmniThinkerConfig(
        text_config=TEXT | {"vocab_size": len(tok), "rope_parameters": mrope()},
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": 64,
            "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        audio_config=AUDIO | {"n_window": 20, "output_dim": 64},
        **omni_ids(tok),
    )
    return finished(Qwen2_5OmniThinkerForConditionalGeneration(config), tok), processor


def qwen3_omni() -> tuple[Any, Any]:
    tok = qwen_tokenizer()
    geometry = {"patch_size": 16, "merge_size": 2, "temporal_patch_size": 2}
    size = {"shortest_edge": 32 * 32, "longest_edge": 64 * 96}
    processor = Qwen3OmniMoeProcessor(
        image_processor=Qwen2VLImageProcessor(size=size, **geometry),
        video_processor=Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False, **geometry),
        feature_extractor=WhisperFeatureExtractor(feature_size=16),
        tokenizer=tok,
        chat_template=tok.chat_template,
    )
    processor.videos_kwargs = {"size": size}
    config = Qwen3OmniMoeThinkerConfig(
        text_config=TEXT
        | {
            "vocab_size": len(tok),
            "rope_parameters": mrope(mrope_interleaved=True),
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 32,
            "head_dim": 16,
        },
        vision_config={
            "depth": 3,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": 64,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0, 1],
        },
        audio_config=AUDIO | {"output_dim": 64, "downsample_hidden_size": 8},
        **omni_ids(tok),
    )
    return finished(Qwen3OmniMoeThinkerForConditionalGeneration(config), tok), processor


def internvl() -> tuple[Any, Any]:
    names = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tok = tokenizer(names, template("<IMG_CONTEXT>\n", "<video>\n"))
    size = {"height": 28, "width": 28}
    from transformers import GotOcr2ImageProcessor

    processor = InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=size),
        tokenizer=tok,
        video_processor=InternVLVideoProcessor(size=size),
        image_seq_length=4,
        chat_template=tok.chat_template,
    )
    config = InternVLConfig(
        text_config=TEXT | {"model_type": "qwen2", "vocab_size": len(tok)},
        vision_config={
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 48,
            "image_size": [28, 28],
            "patch_size": [7, 7],
        },
        image_token_id=tok.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    return finished(InternVLForConditionalGeneration(config), tok), processor


def llava_onevision() -> tuple[Any, Any]:
    names = {"image_token": "<image>", "video_token": "<video>"}
    tok = tokenizer(names, template("<image>\n", "<video>\n"))
    size = {"height": 28, "width": 28}
    processor = LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=[[28, 28]]),
        tokenizer=tok,
        video_processor=LlavaOnevisionVideoProcessor(size=size),
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=tok.chat_template,
    )
    config = LlavaOnevisionConfig(
        text_config=TEXT | {"model_type": "qwen2", "vocab_size": len(tok)},
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 28,
            "patch_size": 7,
            "vision_use_head": False,
        },
        image_token_index=tok.convert_tokens_to_ids("<image>"),
        video_token_index=tok.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=[[28, 28]],
    )
    return finished(LlavaOnevisionForConditionalGeneration(config), tok), processor


def smolvlm() -> tuple[Any, Any]:
    names = {
        "image_token": "<image>",
        "video_token": "<video>",
        "fake_image_token": "<fake_token_around_image>",
        "global_image_token": "<global-img>",
        "end_of_utterance_token": "<end_of_utterance>",
    }
    tok = tokenizer(names, template("<image>", "<video>"))
    # its processor writes the number of frames in words with a package that is not a dependency of ours
    processing_smolvlm.num2words = processing_smolvlm.num2words or str
    processor = processing_smolvlm.SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(
            size={"longest_edge": 32}, max_image_size={"longest_edge": 32}, do_image_splitting=False
        ),
        tokenizer=tok,
        video_processor=SmolVLMVideoProcessor(size={"longest_edge": 32}, max_image_size={"longest_edge": 32}),
        image_seq_len=4,
        chat_template=tok.chat_template,
    )
    config = SmolVLMConfig(
        text_config=TEXT | {"model_type": "llama", "vocab_size": len(tok)},
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
        },
        image_token_id=tok.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    )
    return finished(SmolVLMForConditionalGeneration(config), tok), processor


BUILDERS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "qwen2_5_vl": qwen2_5_vl,
    "qwen3_vl": qwen3_vl,
    "qwen2_5_omni": qwen2_5_omni,
    "qwen3_omni": qwen3_omni,
    "internvl": internvl,
    "llava_onevision": llava_onevision,
    "smolvlm": smolvlm,
}


def questions(number: int) -> Sequence[str]:
    """Return questions of very different lengths that share their first words."""
    tails = (
        "limbs?",
        "head, and to which side?",
        "eyes and the mouth, one after the other, please?",
        "arms?",
    )
    return [
        f"Does the patient {'perhaps ' * (i % 7)}show movement {i} of the {tails[i % 4]}"
        f"{' Think of the first seconds only.' * (i % 3)} Answer with yes or no."
        for i in range(number)
    ]
