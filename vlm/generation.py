"""From a request to a stream of text: the decoding loop, sampling, stop strings, and why an answer ended.

No HTTP, and no state between calls: whoever holds the iterator holds all there is of the generation, and closing it
ends the work.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from transformers import DynamicCache, LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

from .modeling_vlm import VlmForConditionalGeneration
from .processing_vlm import VlmProcessor


class RequestError(ValueError):
    """A request that this model cannot answer. The message says why, in the user's words."""


@dataclass(frozen=True)
class GenerationRequest:
    """What is to be answered, and how. Raises RequestError for values out of range."""

    # {"role": "system" | "user" | "assistant", "content": str or parts}; parts are {"type": "text", "text": str} and
    # {"type": "image", "image": PIL.Image}.
    messages: list[dict[str, Any]]
    max_new_tokens: int = 256
    temperature: float = 0.0  # 0 is greedy
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    blind: bool = False  # leave the pictures out: what would the answer be without them?
    hints: Literal["on", "off"] = "on"  # whether what is read in the pictures is said to the model (vlm/hints)

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise RequestError(f"max_new_tokens must be at least 1, got {self.max_new_tokens}")
        if not 0 <= self.temperature <= 2:
            raise RequestError(f"temperature must be between 0 and 2, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise RequestError(f"top_p must be above 0 and at most 1, got {self.top_p}")
        if not self.messages:
            raise RequestError("there is no message to answer")
        if any(not text for text in self.stop):
            raise RequestError("a stop string must not be empty")


@dataclass(frozen=True)
class Chunk:
    """A piece of an answer. Texts hold whole characters and never a part of a stop string."""

    text: str  # empty while what came is held back, and perhaps in the last piece
    finish_reason: Literal["stop", "length"] | None  # set in the last piece only
    prompt_tokens: int
    completion_tokens: int  # so far


def generate(
    model: VlmForConditionalGeneration, processor: VlmProcessor, request: GenerationRequest
) -> Generator[Chunk, None, None]:
    """The answer to `request`, a chunk after every token, so that whoever reads can stop it after any one of them.

    What cannot be answered raises RequestError here, before anything is computed.
    """
    try:
        chat = processor.encode_chat(request.messages, add_generation_prompt=True)
    except ValueError as error:
        raise RequestError(str(error)) from None
    limit = model.config.text_config.max_position_embeddings
    if (room := limit - len(chat.input_ids)) < 1:
        raise RequestError(
            f"the conversation is {len(chat.input_ids)} tokens long and the model reads {limit}, answer included:"
            " shorten it or start a new one"
        )
    inputs = processor.collate([chat]).to(model.device)
    if request.blind:
        inputs.pop("pixel_values", None)
    tokens = decode(model, inputs, request, min(request.max_new_tokens, room))
    return _to_text(tokens, processor, request.stop, len(chat.input_ids))


@torch.inference_mode()
def next_logits(model: VlmForConditionalGeneration, state: dict[str, Any], input_ids: Tensor) -> Tensor:
    """One forward pass over new tokens [1, T] -> logits [1, V] of the next one; `state` carries caches onwards."""
    outputs = model(input_ids=input_ids, logits_to_keep=1, use_cache=True, **state)
    mask = outputs.image_attention_mask
    state.update(
        past_key_values=outputs.past_key_values,
        encoded_images=outputs.encoded_images,
        image_attention_mask=None if mask is None else mask[:, -1:],  # a new token sees what the last one saw
        pixel_values=None,
    )
    return outputs.logits[:, -1].float()


def decode(
    model: VlmForConditionalGeneration, inputs: dict[str, Tensor], request: GenerationRequest, max_new_tokens: int
) -> Iterator[tuple[int, bool]]:
    """Token ids of the answer, each with whether it ends the turn; at most `max_new_tokens`."""
    warpers = LogitsProcessorList()
    if request.temperature > 0:
        warpers += [TemperatureLogitsWarper(request.temperature), TopPLogitsWarper(request.top_p)]
    random = torch.Generator(model.device)
    random.manual_seed(request.seed) if request.seed is not None else random.seed()
    ends = model.generation_config.eos_token_id
    ends = {ends} if isinstance(ends, int) else set(ends or ())
    input_ids = inputs["input_ids"]
    state: dict[str, Any] = {"past_key_values": DynamicCache(), "pixel_values": inputs.get("pixel_values")}
    for _ in range(max_new_tokens):
        logits = warpers(input_ids, next_logits(model, state, input_ids))
        if request.temperature > 0:
            input_ids = torch.multinomial(logits.softmax(dim=-1), 1, generator=random)
        else:
            input_ids = logits.argmax(dim=-1, keepdim=True)
        token = int(input_ids)
        yield token, token in ends
        if token in ends:
            return


def _to_text(
    tokens: Iterator[tuple[int, bool]], processor: VlmProcessor, stop: tuple[str, ...], prompt_tokens: int
) -> Generator[Chunk, None, None]:
    """Token ids -> pieces of text that can be shown at once: whole characters, nothing that may begin a stop string."""
    ids: list[int] = []
    sent = 0
    for token, ends in tokens:
        ids.append(token)
        text = processor.tokenizer.decode(ids[:-1] if ends else ids, skip_special_tokens=True)
        if (cut := first_stop(text, stop)) is not None:
            yield Chunk(text[sent:cut], "stop", prompt_tokens, len(ids))
            return
        if ends:
            yield Chunk(text[sent:], "stop", prompt_tokens, len(ids))
            return
        ready = max(sent, len(text) - held_back(text, stop))
        yield Chunk(text[sent:ready], None, prompt_tokens, len(ids))
        sent = ready
    text = processor.tokenizer.decode(ids, skip_special_tokens=True)
    yield Chunk(text[sent:].rstrip("\N{REPLACEMENT CHARACTER}"), "length", prompt_tokens, len(ids))


def first_stop(text: str, stop: tuple[str, ...]) -> int | None:
    """Where the first stop string in `text` begins."""
    return min((place for word in stop if (place := text.find(word)) >= 0), default=None)


def held_back(text: str, stop: tuple[str, ...]) -> int:
    """How many characters at the end must wait: a character that is not whole yet, or what may begin a stop string."""
    whole = text.rstrip("\N{REPLACEMENT CHARACTER}")
    begun = (n for word in stop for n in range(1, len(word)) if whole.endswith(word[:n]))
    return len(text) - len(whole) + max(begun, default=0)
