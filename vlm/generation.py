"""From one request to a stream of text: the decoding loop over the model as transformers runs it.

No HTTP, and no state between calls: whoever holds the iterator holds all there is of the generation, and closing it
ends the work. `vlm.engine` answers many requests at once; this is what it is measured against.
"""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import DynamicCache

from .answers import Chunk, GenerationRequest, TextStream, first_stop, held_back
from .modeling_vlm import VlmForConditionalGeneration
from .processing_vlm import EncodedChat, VlmProcessor
from .sampling import RequestError, Sampler, TokenLogprob

if TYPE_CHECKING:
    from .grammar import Grammar

__all__ = ["Chunk", "GenerationRequest", "RequestError", "first_stop", "generate", "held_back"]


def generate(
    model: VlmForConditionalGeneration, processor: VlmProcessor, request: GenerationRequest
) -> Generator[Chunk, None, None]:
    """The answer to `request`, a chunk after every token, so that whoever reads can stop it after any one of them.

    What cannot be answered raises RequestError here, before anything is computed.
    """
    if request.n > 1 or request.visual_guidance or request.adapter is not None:
        raise RequestError("n, visual_guidance and adapter need the batching engine: leave them out here")
    chat, room = encode(model, processor, request)
    grammar = grammar_of(model, processor, request)
    sampler = Sampler(request, chat.input_ids, model.config.text_config.vocab_size, grammar=grammar)
    inputs = processor.collate([chat]).to(model.device)
    if request.blind:
        inputs.pop("pixel_values", None)
    tokens = decode(model, inputs, sampler)
    image_tokens = chat.input_ids.count(model.config.image_token_id)
    return _to_text(tokens, TextStream(processor.tokenizer, request.stop, room), len(chat.input_ids), image_tokens)


def encode(
    model: VlmForConditionalGeneration, processor: VlmProcessor, request: GenerationRequest
) -> tuple[EncodedChat, int]:
    """The prompt of a request, and how many tokens its answer may have. Raises RequestError where there is no room."""
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
    return chat, min(request.max_new_tokens, room)


def grammar_of(
    model: VlmForConditionalGeneration, processor: VlmProcessor, request: GenerationRequest
) -> "Grammar | None":
    """What the answer must be, if it must be JSON. Raises RequestError for a schema that nothing can be held to."""
    if request.json_schema is None:
        return None
    from .grammar import compile_schema  # a library that few requests need

    ends, size = turn_ends(model), model.config.text_config.vocab_size
    return compile_schema(request.json_schema, processor.tokenizer, size, ends)


def turn_ends(model: VlmForConditionalGeneration) -> set[int]:
    """The tokens that end an answer."""
    ends = model.generation_config.eos_token_id
    return {ends} if isinstance(ends, int) else set(ends or ())


@torch.inference_mode()
def next_logits(model: VlmForConditionalGeneration, state: dict[str, Any], input_ids: Tensor) -> Tensor:
    """One forward pass over new tokens [1, T] -> logits [V] of the next one; `state` carries caches onwards."""
    outputs = model(input_ids=input_ids, logits_to_keep=1, use_cache=True, **state)
    mask = outputs.image_attention_mask
    state.update(
        past_key_values=outputs.past_key_values,
        encoded_images=outputs.encoded_images,
        image_attention_mask=None if mask is None else mask[:, -1:],  # a new token sees what the last one saw
        pixel_values=None,
    )
    return outputs.logits[0, -1]


def decode(
    model: VlmForConditionalGeneration, inputs: dict[str, Tensor], sampler: Sampler
) -> Iterator[tuple[int, bool, TokenLogprob | None]]:
    """Tokens of the answer without end, each with whether it ends the turn and its likelihood where asked for."""
    ends = turn_ends(model)
    input_ids = inputs["input_ids"]
    state: dict[str, Any] = {"past_key_values": DynamicCache(), "pixel_values": inputs.get("pixel_values")}
    while True:
        token, logprob = sampler.choose(next_logits(model, state, input_ids))
        input_ids = torch.tensor([[token]], device=model.device)
        yield token, token in ends, logprob


def _to_text(
    tokens: Iterator[tuple[int, bool, TokenLogprob | None]], stream: TextStream, prompt_tokens: int, image_tokens: int
) -> Generator[Chunk, None, None]:
    for token, ends, logprob in tokens:
        text, reason = stream.push(token, ends)
        shown = () if logprob is None or ends else (logprob,)
        yield Chunk(text, reason, prompt_tokens, stream.count, logprobs=shown, image_tokens=image_tokens)
        if reason is not None:
            return
