"""Learning from pairs: of two answers to one question about the same picture, people chose one and rejected the other.

Direct preference optimisation (DPO, https://arxiv.org/abs/2305.18290). The two answers are packed into one row
(`train/collator.py`), so the picture and the question are read once, and neither sees the other. The reference that the
model must not stray from is the model itself with its adapters off.

Shape letters: B rows, one pair each, T tokens, K of them that are foretold, V vocabulary.
"""

import torch
import torch.nn.functional as F
from peft import PeftModel
from torch import Tensor, nn

from vlm.processing_vlm import EncodedChat, VlmProcessor

from .collator import IGNORE, PackedRow, collate, pack

CHOSEN, REJECTED = 1, 2  # the branches of a row


def pack_pairs(chats: list[EncodedChat], image_token_id: int) -> list[PackedRow]:
    """Chosen and rejected answers by turns -> a row for each pair. Every pair counts the same, however long."""
    rows = []
    for chosen, rejected in zip(chats[::2], chats[1::2], strict=True):
        (row,) = pack([chosen, rejected], image_token_id, max_tokens=len(chosen.input_ids) + len(rejected.input_ids))
        total = sum(row.weights) or 1.0  # the loop says what is wrong where there is nothing to learn
        row.weights = [weight / total for weight in row.weights]
        rows.append(row)
    return rows


def collate_pairs(rows: list[PackedRow], processor: VlmProcessor) -> dict[str, Tensor]:
    """Rows of `pack_pairs` -> a batch for `preference_loss`: that of `collate`, and "branch" int [B, T]."""
    batch = collate(rows, processor)
    width = batch["input_ids"].shape[1]
    batch["branch"] = torch.tensor([[*row.branch, *[0] * (width - len(row.branch))] for row in rows])
    return batch


def answer_logprobs(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """The log-likelihoods of whole answers, chosen and rejected: [B, 2]."""
    inputs = {name: value for name, value in batch.items() if name not in ("shift_labels", "label_weights", "branch")}
    labels, branch = batch["shift_labels"], batch["branch"]
    kept = (labels != IGNORE).any(dim=0).nonzero().squeeze(-1)
    logits = model(**inputs, logits_to_keep=kept, use_cache=False).logits.float()  # [B, K, V]
    targets, branch = labels[:, kept], branch[:, kept]  # [B, K]
    losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none", ignore_index=IGNORE)
    losses = losses.view_as(targets)  # 0 where nothing is to be foretold
    return torch.stack([-(losses * (branch == answer)).sum(dim=1) for answer in (CHOSEN, REJECTED)], dim=1)


def reference_logprobs(model: PeftModel, batch: dict[str, Tensor]) -> Tensor:
    """`answer_logprobs` of the model that the adapters were laid over: [B, 2]."""
    trained = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    with torch.no_grad(), model.disable_adapter():
        found = answer_logprobs(model, batch)
    for parameter, is_trained in trained:  # peft, on again, would train all that it saves
        parameter.requires_grad_(is_trained)
    return found


def margins(logprobs: Tensor, reference: Tensor) -> Tensor:
    """How much more the model prefers the chosen answers than the reference does, in nats: [B]."""
    preferred, before = (both[:, 0] - both[:, 1] for both in (logprobs, reference))
    return preferred - before


def preference_loss(trained: nn.Module, model: PeftModel, batch: dict[str, Tensor], beta: float) -> Tensor:
    """DPO's loss, the mean over the pairs of a batch; ln 2 where the model is the reference.

    `trained` is `model`, or around it what brings several processes together.
    """
    reference = reference_logprobs(model, batch)
    return -F.logsigmoid(beta * margins(answer_logprobs(trained, batch), reference)).mean()
