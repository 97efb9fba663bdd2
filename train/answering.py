"""Answering many questions about one picture in one go, each exactly as if it were asked alone.

Evaluation asks ten questions a picture. Packed as in training (`train/collator.py`) the picture and the common start
are read once, and all answers grow at the same time.
"""

from typing import Any

import torch
from transformers import DynamicCache

from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.processing_vlm import VlmProcessor

from .collator import collate, pack


@torch.inference_mode()
def answer_together(
    model: VlmForConditionalGeneration,
    processor: VlmProcessor,
    conversations: list[list[dict[str, Any]]],
    max_new_tokens: int,
) -> list[str]:
    """Greedy answers to conversations about the same pictures, which all stand at their start."""
    chats = [processor.encode_chat(messages, add_generation_prompt=True) for messages in conversations]
    (row,) = pack(chats, processor.image_token_id, max_tokens=1_000_000)
    ends = model.generation_config.eos_token_id
    ends = {ends} if isinstance(ends, int) else set(ends or ())
    batch = {n: v.to(model.device) for n, v in collate([row], processor).items() if "label" not in n}
    lasts = [max(i for i, branch in enumerate(row.branch) if branch == number) for number in _numbers(chats)]
    outputs = model(**batch, past_key_values=DynamicCache(), logits_to_keep=torch.tensor(lasts), use_cache=True)
    tokens = outputs.logits[0].argmax(dim=-1).tolist()  # the first token of every answer
    answers: list[list[int]] = [[] for _ in chats]
    asked = batch["attention_mask"][:, :, lasts]  # [1, 1, N, T]: what the end of each question sees
    running = _numbers(chats)
    grown: list[int] = []  # whose the tokens of the answers so far are
    for step in range(max_new_tokens):
        going = []
        for number, token in zip(running, tokens, strict=True):
            if token not in ends:
                answers[number - 1].append(token)
                going.append(number)
        running = going
        if not running or step == max_new_tokens - 1:
            break
        grown += running
        is_other = torch.tensor(running)[:, None] != torch.tensor(grown)  # [running, grown]
        hidden = (is_other * torch.finfo(asked.dtype).min)[None, None].to(asked)
        mask = torch.cat([asked[:, :, [number - 1 for number in running]], hidden], dim=-1)
        seen = outputs.image_attention_mask
        outputs = model(
            input_ids=torch.tensor([[answers[number - 1][-1] for number in running]], device=model.device),
            position_ids=torch.tensor(
                [[len(chats[number - 1].input_ids) + step for number in running]], device=model.device
            ),
            attention_mask=mask,
            past_key_values=outputs.past_key_values,
            encoded_images=outputs.encoded_images,
            image_attention_mask=None if seen is None else seen[:, -1:].expand(-1, len(running), -1),
            use_cache=True,
        )
        tokens = outputs.logits[0].argmax(dim=-1).tolist()
    return [processor.tokenizer.decode(ids, skip_special_tokens=True).strip() for ids in answers]


def _numbers(chats: list[Any]) -> list[int]:
    """The branch numbers that `pack` gives to conversations."""
    return list(range(1, len(chats) + 1))
