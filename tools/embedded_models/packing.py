"""Token rows in which one window (video or sound) is shared by several questions, each as if it were asked alone.

A row is ``prefix | question 1 + answer 1 | question 2 + answer 2 | ...``. Every block sees the prefix and
itself, never another block, and its positions start where the prefix ends; so each answer has the logits that
it would have alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

IGNORED = -100


@dataclass(frozen=True)
class Row:
    """One prefix with its questions, or a padded batch of such rows (B, L).

    Attributes:
        ids: (L,) token ids.
        positions: (A, L) positions on the model's axes: three for video, one for sound.
        block: (L,) 0 in the prefix, k in the k-th question, -1 in the padding.
        labels: (L,) the token to predict after each token, ``IGNORED`` outside the answers.
    """

    ids: Tensor
    positions: Tensor
    block: Tensor
    labels: Tensor


def pack(ids: Tensor, positions: Tensor, blocks: Sequence[tuple[list[int], list[int]]]) -> Row:
    """Pack a prefix (ids (P,), positions (A, P)) and encoded (question, answer) blocks into one row.

    Answers take the positions that ``generate`` gives them: one past the largest position of any axis.
    """
    start = int(positions[0, -1]) + 1
    all_ids, labels, all_positions = [ids], [torch.full((len(ids),), IGNORED)], [positions]
    numbers = [0] * len(ids)
    for number, (question, answer) in enumerate(blocks, start=1):
        first = max(int(positions.max()), start + len(question) - 1) + 1
        all_ids.append(torch.tensor(question + answer))
        place = [*range(start, start + len(question)), *range(first, first + len(answer))]
        all_positions.append(torch.tensor(place).expand(len(positions), -1))
        labels.append(torch.tensor([IGNORED] * (len(question) - 1) + answer + [IGNORED]))
        numbers += [number] * (len(question) + len(answer))
    return Row(torch.cat(all_ids), torch.cat(all_positions, 1), torch.tensor(numbers), torch.cat(labels))


def stack(rows: Sequence[Row], pad_id: int) -> Row:
    """Stack rows into a batch, padded at the end: ids (B, L), positions (A, B, L), ..."""
    length = max(len(row.ids) for row in rows)

    def padded(tensors: list[Tensor], value: int) -> Tensor:
        return torch.stack([functional.pad(t, (0, length - t.shape[-1]), value=value) for t in tensors])

    return Row(
        padded([row.ids for row in rows], pad_id),
        padded([row.positions for row in rows], 0).transpose(0, 1),
        padded([row.block for row in rows], -1),
        padded([row.labels for row in rows], IGNORED),
    )


def block_mask(block: Tensor) -> Tensor:
    """Return the (B, 1, L, L) mask of rows (B, L): causal, from a question only to prefix and itself."""
    length = block.shape[-1]
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    allowed = (block[:, None, :] == 0) | (block[:, None, :] == block[:, :, None])
    return (causal & allowed)[:, None]
