"""A Qwen2.5-VL of random weights, for transformers and vLLM, and in llama.cpp's two files: text model, vision tower."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from semiology.backends.embedded.sees import CHECKPOINT

TEXT = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
VISION = {
    "norm1": "ln1", "norm2": "ln2", "attn.proj": "attn_out", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip


def usual_heads(folder: Path, *, merge: int | None = None, window: int | None = None) -> Path:
    """Write a Qwen2.5-VL of random weights with heads of 128 in the text and of 80 in the vision, as published ones.

    Args:
        merge: patches along a side that become one token; published models have 2, and llama.cpp knows no other.
        window: pixels along a side of what the vision tower attends to at a time, 112 in published models.
    """
    import torch
    from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

    shutil.copytree(CHECKPOINT, folder, ignore=shutil.ignore_patterns("*.safetensors", "heldout.json"))
    config = AutoConfig.from_pretrained(CHECKPOINT)
    text, vision = config.text_config, config.vision_config
    text.hidden_size, text.num_attention_heads, text.num_key_value_heads = 256, 2, 1
    text.num_hidden_layers, text.layer_types = 2, ["full_attention"] * 2
    text.rope_parameters = {**text.rope_parameters, "mrope_section": [16, 24, 24]}
    vision.hidden_size, vision.num_heads, vision.depth = 160, 2, 2
    vision.fullatt_block_indexes, vision.out_hidden_size = [1], 256
    vision.spatial_merge_size = merge or vision.spatial_merge_size
    vision.window_size = window or vision.window_size
    config.dtype = text.dtype = vision.dtype = torch.float32
    torch.manual_seed(0)
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
    return folder


def write_gguf(checkpoint: Path, file: Path) -> Path:
    """Write a checkpoint of transformers as ``file`` and ``mmproj-`` beside it; return ``file``."""
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32)
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    _write_text(checkpoint, file, model.config.text_config, weights)
    _write_vision(file.with_name(f"mmproj-{file.name}"), model.config.vision_config, weights)
    return file


def _write_text(checkpoint: Path, file: Path, config: Any, weights: dict[str, np.ndarray]) -> None:
    import gguf

    writer = gguf.GGUFWriter(file, "qwen2vl")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_sections([*config.rope_parameters["mrope_section"], 0])
    tokenizer = json.loads((checkpoint / "tokenizer.json").read_text("utf-8"))
    tokens = {number: token for token, number in tokenizer["model"]["vocab"].items()}
    added = {each["id"]: each["content"] for each in tokenizer["added_tokens"]}
    tokens |= added
    numbers = range(config.vocab_size)
    kinds = [gguf.TokenType.CONTROL if number in added else gguf.TokenType.NORMAL for number in numbers]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([tokens.get(number, f"[{number}]") for number in numbers])
    writer.add_token_types(kinds)
    merges = tokenizer["model"]["merges"]
    writer.add_token_merges([each if isinstance(each, str) else " ".join(each) for each in merges])
    writer.add_eos_token_id(config.eos_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template((checkpoint / "chat_template.jinja").read_text("utf-8"))
    writer.add_tensor("token_embd.weight", weights["model.language_model.embed_tokens.weight"])
    writer.add_tensor("output_norm.weight", weights["model.language_model.norm.weight"])
    for name, other in _named(weights, "model.language_model.layers.", TEXT):
        writer.add_tensor(f"blk.{other}", weights[name])
    _close(writer)


def _write_vision(file: Path, config: Any, weights: dict[str, np.ndarray]) -> None:
    import gguf

    writer = gguf.GGUFWriter(file, "clip")
    writer.add_type("mmproj")
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type("qwen2.5vl_merger")
    writer.add_vision_use_silu(True)
    writer.add_vision_image_size(560)
    writer.add_vision_patch_size(config.patch_size)
    writer.add_vision_embedding_length(config.hidden_size)
    writer.add_vision_feed_forward_length(config.intermediate_size)
    writer.add_vision_block_count(config.depth)
    writer.add_vision_projection_dim(config.out_hidden_size)
    writer.add_vision_head_count(config.num_heads)
    writer.add_vision_attention_layernorm_eps(1e-6)
    writer.add_vision_image_mean([0.48145466, 0.4578275, 0.40821073])
    writer.add_vision_image_std([0.26862954, 0.26130258, 0.27577711])
    writer.add_vision_n_wa_pattern(config.fullatt_block_indexes[0] + 1)
    patches = weights["model.visual.patch_embed.proj.weight"]
    for number, ending in enumerate(("", ".1")):
        writer.add_tensor(f"v.patch_embd.weight{ending}", np.ascontiguousarray(patches[:, :, number]))
    writer.add_tensor("v.post_ln.weight", weights["model.visual.merger.ln_q.weight"])
    for layer in (0, 2):
        for part in ("weight", "bias"):
            writer.add_tensor(f"mm.{layer}.{part}", weights[f"model.visual.merger.mlp.{layer}.{part}"])
    for name, other in _named(weights, "model.visual.blocks.", VISION):
        writer.add_tensor(f"v.blk.{other}", weights[name])
    for name in [name for name in weights if ".attn.qkv." in name]:
        block, part = name.split(".")[3], name.split(".")[-1]
        for letter, values in zip("qkv", np.split(weights[name], 3), strict=True):
            writer.add_tensor(f"v.blk.{block}.attn_{letter}.{part}", np.ascontiguousarray(values))
    _close(writer)


def _named(weights: dict[str, np.ndarray], prefix: str, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the names of layers' tensors, and what follows llama.cpp's prefix for them."""
    for name in weights:
        block, _, rest = name.removeprefix(prefix).partition(".")
        inner, _, part = rest.rpartition(".")
        if name.startswith(prefix) and inner in names:
            yield name, f"{block}.{names[inner]}.{part}"


def _close(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
