"""What rows begin with is read once, and not for every row: the system text, before the first picture.

No adapter changes a token that sees no picture (`vlm/lora.py`; cross-attention passes it by), and in a chat nothing is
to be learnt before the picture. So the keys and values of such tokens are the frozen language model's, whatever has
been learnt, and no gradient is asked of them.

Shape letters: B rows, T tokens, S of them in the opening.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from .collator import IGNORE


class Opening(DynamicCache):
    """Keys and values of an opening. Once it is read, what rows put after it is not kept: it serves any number."""

    is_read = False

    def update(self, keys: Tensor, values: Tensor, layer_idx: int, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        if not self.is_read:
            return super().update(keys, values, layer_idx, *args, **kwargs)
        layer = self.layers[layer_idx]
        known = (own.expand(len(keys), -1, -1, -1) for own in (layer.keys, layer.values))
        key, value = (torch.cat(pair, dim=2) for pair in zip(known, (keys, values), strict=True))
        return key, value


class Openings:
    """Remembers the last opening: the rows of most data sets have the same one."""

    def __init__(self, model: nn.Module, image_token_id: int):
        self.model, self.image_token_id = model, image_token_id
        self._ids, self._last = torch.empty(0), Opening()

    def spare(self, batch: dict[str, Tensor]) -> dict[str, Any]:
        """A batch of `collate` -> the same without its opening, and that as `past_key_values`."""
        length = self._length(batch)
        if not length:
            return batch
        if not torch.equal(self._ids, ids := batch["input_ids"][:1, :length]):
            self._ids, self._last = ids, self._read(ids)
        rest = {name: value[:, length:] for name, value in batch.items() if value.ndim == 2}  # [B, T]
        mask = batch["attention_mask"][:, :, length:]  # [B, 1, T - S, T]
        return {**batch, **rest, "attention_mask": mask, "past_key_values": self._last}

    def _length(self, batch: dict[str, Tensor]) -> int:
        """How many tokens all rows begin with that see no picture and foretell nothing that is to be learnt."""
        ids = batch["input_ids"]
        ends = (ids != ids[:1]) | (ids == self.image_token_id) | (batch["shift_labels"] != IGNORE)
        return int(ends.any(dim=0).int().argmax())  # 0 as well where nothing ends it

    @torch.no_grad()
    def _read(self, ids: Tensor) -> Opening:
        opening = Opening()
        with torch.random.fork_rng():  # dropout draws numbers here too, and when it is read must change nothing
            self.model(input_ids=ids, past_key_values=opening, use_cache=True, logits_to_keep=1)
        opening.is_read = True
        return opening
