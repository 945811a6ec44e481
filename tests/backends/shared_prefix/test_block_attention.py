"""Attention in blocks is attention with a mask, without what the mask throws away."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semiology.backends.shared_prefix import block_attention
from semiology.backends.shared_prefix.block_attention import Blocks, attend, possible, switched_on, usable
from semiology.backends.shared_prefix.loading import Checkpoint

CPU = torch.device("cpu")


def masked(query: Any, key: Any, value: Any, prefix: int, owners: list[int]) -> Any:
    """Attend with a mask, spelled out token by token."""
    new, share = query.shape[2], query.shape[1] // key.shape[1]
    first = len(owners) - new
    mask = torch.zeros(new, prefix + len(owners), dtype=torch.bool)
    mask[:, :prefix] = True
    for row in range(new):
        for column in range(first + row + 1):
            mask[row, prefix + column] = owners[column] == owners[first + row]
    keys, values = (states.repeat_interleave(share, dim=1) for states in (key, value))
    return torch.nn.functional.scaled_dot_product_attention(query, keys, values, attn_mask=mask)


@settings(max_examples=40)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    prefix=st.integers(1, 40),
    groups=st.sampled_from([1, 2]),
    share=st.sampled_from([1, 3]),
    steps=st.lists(st.lists(st.booleans(), min_size=5, max_size=5), max_size=3),
)
def test_it_equals_a_mask_for_every_layout(
    lengths: list[int], prefix: int, groups: int, share: int, steps: list[list[bool]]
) -> None:
    """First all suffixes, then steps in which any of the questions go on."""
    torch.manual_seed(sum(lengths) + prefix)
    owners: list[int] = []
    rows = [[number for number, length in enumerate(lengths) for _ in range(length)]]
    rows += [[number for number in range(len(lengths)) if goes_on[number]] for goes_on in steps]
    for row in filter(None, rows):
        owners += row
        query = torch.randn(1, groups * share, len(row), 8)
        key, value = (torch.randn(1, groups, prefix + len(owners), 8) for _ in range(2))
        got = attend(query, key, value, Blocks.of(prefix, owners, len(row), CPU), 8**-0.5)
        torch.testing.assert_close(got, masked(query, key, value, prefix, owners), atol=2e-6, rtol=1e-5)


def test_in_low_precision_it_is_as_near_as_a_mask() -> None:
    torch.manual_seed(0)
    owners = [0] * 20 + [1] * 30
    query = torch.randn(1, 4, 50, 16)
    key, value = (torch.randn(1, 2, 250, 16) for _ in range(2))
    exact = masked(query, key, value, 200, owners)
    half = [states.bfloat16() for states in (query, key, value)]
    error = (attend(*half, Blocks.of(200, owners, 50, CPU), 0.25).float() - exact).abs().max()
    other = (masked(*half, 200, owners).float() - exact).abs().max()
    assert error <= 1.5 * other


def test_the_kernels_of_this_machine_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert usable(CPU, torch.float32, 16)
    usable.cache_clear()
    monkeypatch.setattr(block_attention, "attend_all", lambda q, k, v, s: (q * 0, q[..., 0]))
    assert not usable(CPU, torch.float32, 16)

    def missing(*_: Any) -> Any:
        raise AttributeError("no such kernel")

    usable.cache_clear()
    monkeypatch.setattr(block_attention, "attend_all", missing)
    assert not usable(CPU, torch.float32, 16)
    usable.cache_clear()


def test_models_with_another_attention_get_no_blocks(qwen: Checkpoint) -> None:
    assert possible(qwen.model)
    qwen.model.set_attn_implementation("eager")
    try:
        assert not possible(qwen.model)
    finally:
        qwen.model.set_attn_implementation("sdpa")


def test_the_attention_is_switched_back_even_after_an_error(qwen: Checkpoint) -> None:
    configs = block_attention.configs_of(qwen.model)
    assert configs

    def fail() -> None:
        with switched_on(configs):
            assert {config._attn_implementation for config in configs} == {block_attention.NAME}
            raise RuntimeError("made up by a test")

    with pytest.raises(RuntimeError, match="made up"):
        fail()
    assert {config._attn_implementation for config in configs} == {"sdpa"}
