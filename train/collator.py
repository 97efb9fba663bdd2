"""Packing: conversations about the same pictures share one row, and none of them sees another's text.

What the conversations have in common (system text, the pictures' image tokens) stands once at the start; then come
their own parts, one after the other, under a block-diagonal mask and with positions that go on from the common start.
So each answer is computed exactly as if it stood alone. (Pairs that could see each other's answers scored 92 % in
training and 67 % when asked singly.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from PIL import Image
from torch import Tensor

from vlm.processing_vlm import EncodedChat, VlmProcessor

IGNORE = -100  # labels of tokens that are not to be learnt


@dataclass
class PackedRow:
    """Conversations about the same pictures, as one sequence of T tokens."""

    input_ids: list[int]
    position_ids: list[int]
    branch: list[int]  # 0 for the common start, 1.. for the conversations
    labels: list[int]
    weights: list[float]  # how much each label counts
    images: list[Image.Image]


def common_start(chats: list[EncodedChat]) -> int:
    """How many ids all conversations start with.

    It ends two ids before the first answer at the latest: no answer is shared, nor the token that predicts its first.
    """
    limit = min(chat.is_answer.index(True) if True in chat.is_answer else len(chat.input_ids) for chat in chats) - 1
    return next((i for i in range(limit) if len({chat.input_ids[i] for chat in chats}) > 1), max(limit, 0))


def pack(chats: list[EncodedChat], image_token_id: int, max_tokens: int) -> list[PackedRow]:
    """Conversations with the same pictures -> as few rows of at most `max_tokens` as it takes.

    A conversation that is alone longer than that gets a row of its own, whole: train/truncation.py has cut it before,
    or could not. Raises ValueError for pictures outside the common start: such conversations must be given one at a
    time.
    """
    start = common_start(chats) if len(chats) > 1 else 0
    if len(chats) > 1 and any(image_token_id in c.input_ids[start:] for c in chats):
        raise ValueError("conversations can be packed when they share all their pictures and these come first")
    rows: list[PackedRow] = []
    for chat in chats:
        if not rows or len(rows[-1].input_ids) + len(chat.input_ids) - start > max_tokens:
            prefix = chat.input_ids[:start]
            rows.append(
                PackedRow(list(prefix), list(range(start)), [0] * start, [IGNORE] * start, [0.0] * start, chat.images)
            )
        row, own = rows[-1], len(chat.input_ids) - start
        row.branch += [max(row.branch, default=0) + 1] * own
        row.input_ids += chat.input_ids[start:]
        row.position_ids += range(start, start + own)
        row.labels += [
            token if answer else IGNORE
            for token, answer in zip(chat.input_ids[start:], chat.is_answer[start:], strict=True)
        ]
        row.weights += answer_weights(chat.is_answer)[start:]
    return rows


def answer_weights(is_answer: list[bool]) -> list[float]:
    """1 / sqrt(length of its answer) for every token of an answer, 0 for the others.

    So a yes or no is not drowned by the thirty words of a description, nor the other way round ("square averaging" in
    InternVL 2.5, https://arxiv.org/abs/2412.05271).
    """
    weights: list[float] = []
    for answer, run in groupby(is_answer):
        length = len(list(run))
        weights += [length**-0.5 if answer else 0.0] * length
    return weights


def attention_mask(branch: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """branch [B, T] (-1 for padding) -> additive mask [B, 1, T, T]: causal, the common start and one's own branch."""
    causal = torch.ones(branch.shape[1], branch.shape[1], dtype=torch.bool, device=branch.device).tril()
    query, key = branch[:, :, None], branch[:, None, :]
    visible = causal & ((key == 0) | (key == query))
    mask = torch.zeros(visible.shape, dtype=dtype, device=branch.device)
    return mask.masked_fill(~visible, torch.finfo(dtype).min).unsqueeze(1)


def collate(rows: list[PackedRow], processor: VlmProcessor) -> dict[str, Tensor]:
    """Rows -> one batch for the model, padded on the right."""
    width = max(len(row.input_ids) for row in rows)
    pad_id = processor.tokenizer.pad_token_id or 0

    def padded(values: Sequence[Sequence[float]], fill: float) -> Tensor:
        return torch.tensor([[*v, *[fill] * (width - len(v))] for v in values])

    branch = padded([row.branch for row in rows], -1)
    batch = {
        "input_ids": padded([row.input_ids for row in rows], pad_id),
        "position_ids": padded([row.position_ids for row in rows], 0),
        "labels": padded([row.labels for row in rows], IGNORE),
        "label_weights": padded([row.weights for row in rows], 0.0),
        "attention_mask": attention_mask(branch),
    }
    if any(row.images for row in rows):
        batch["pixel_values"] = processor.pixel_values([row.images for row in rows])
    return batch
