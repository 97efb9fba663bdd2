"""Any `AutoModelForImageTextToText` of transformers behind the interface of `vlm.loading.Assistant`.

The model stays as transformers has it: its own chat template, its own processor, its own `generate`. Only what chooses
the next token is ours, so that every option of a request means the same as with a Regard model. One answer at a time.
"""

import inspect
import logging
import queue
import sys
import threading
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from typing import Any

import torch
from jinja2 import TemplateError
from torch import Tensor
from transformers import (
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    AutoModelForImageTextToText,
    AutoProcessor,
    BatchFeature,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedConfig,
    PreTrainedModel,
    ProcessorMixin,
)
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING
from transformers.utils import is_torchvision_available

from .answers import Chunk, GenerationRequest, TextStream
from .configuration_vlm import VlmConfig
from .grammar import compile_schema
from .hub_pictures import picture_reports, timed_encoder
from .loading import Assistant, PartNotFoundError
from .processing_vlm import PLAIN_TEXT
from .quantization import CPU_KINDS, QuantizationError, check_quantization, quantize_
from .sampling import RequestError, Sampler, TokenLogprob

logger = logging.getLogger(__name__)

JOINER = "\N{WORD JOINER}"  # not seen, and no special token has one


def is_hub_model(config: PreTrainedConfig) -> bool:
    """Whether a checkpoint is one of these, and not one of ours."""
    return not isinstance(config, VlmConfig) and type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING


def load_hub_model(
    config: PreTrainedConfig, folder: str, quantization: str | None, device: str | None
) -> "HubAssistant":
    """Model and processor of a folder or a name on the hub. In fp32 on the CPU, where few are fast in bf16.

    Raises QuantizationError for what cannot be had here, PartNotFoundError where a processor needs what is not
    installed.
    """
    kind = quantization or "none"
    if device is None:
        device = "cuda" if torch.cuda.is_available() and kind not in CPU_KINDS else "cpu"
    check_quantization(kind, device)
    if kind != "none" and getattr(config, "quantization_config", None) is not None:
        raise QuantizationError(f"{folder} is already quantized: leave quantization out")
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    model = AutoModelForImageTextToText.from_pretrained(folder, config=config, dtype=dtype).eval()
    if kind != "none":
        quantize_(model.get_decoder(), kind)
    try:
        processor = load_processor(config, folder)
    except ImportError as error:
        said = " ".join(str(error).split())
        known = [name for name in ("torchvision", "num2words", "sentencepiece") if name in said.lower()]
        how = f"pip install {' '.join(known)}" if known else said
        raise PartNotFoundError(f"the processor of {folder} needs what is not installed here: {how}") from error
    return HubAssistant(folder, model.to(device), processor)


def load_processor(config: PreTrainedConfig, folder: str) -> ProcessorMixin:
    """The processor of a checkpoint; without torchvision, what it has for videos is left out."""
    kind = PROCESSOR_MAPPING.get(type(config), None)
    if kind is None or is_torchvision_available() or "video_processor" not in kind.get_attributes():
        return AutoProcessor.from_pretrained(folder)
    return for_pictures_alone(kind).from_pretrained(folder)


def for_pictures_alone(kind: type[ProcessorMixin]) -> type[ProcessorMixin]:
    """The same kind of processor without what it has for videos, which must be given as None."""
    module = sys.modules[kind.__module__]
    if getattr(module, "num2words", str) is None:  # SmolVLM's wants it, to say how long a video is
        setattr(module, "num2words", str)  # noqa: B010 - not a name that every processor's module has

    class PictureProcessor(kind):
        apply_chat_template = ProcessorMixin.apply_chat_template  # SmolVLM's own asks for how it samples videos

        @classmethod
        def get_attributes(cls) -> list[str]:
            return [name for name in kind.get_attributes() if name != "video_processor"]

        @classmethod
        def from_args_and_dict(cls, args: Any, processor_dict: dict[str, Any], **kwargs: Any) -> Any:
            return super().from_args_and_dict(args, {**processor_dict, "video_processor": None}, **kwargs)

    PictureProcessor.__name__ = kind.__name__  # as it is saved
    return PictureProcessor


class HubAssistant(Assistant):
    """A model of transformers with its processor, ready to be asked, from one thread at a time."""

    def stream(self, request: GenerationRequest) -> Generator[Chunk, None, None]:
        """The answer, a chunk after every token. Raises RequestError before anything is computed."""
        if request.n > 1 or request.visual_guidance:
            raise RequestError("n and visual_guidance need a model of Regard's own: leave them out here")
        inputs = encode(self.model, self.processor, request)
        prompt = inputs["input_ids"][0].tolist()
        text_config = self.model.config.get_text_config()
        limit = getattr(text_config, "max_position_embeddings", None) or sys.maxsize
        if (room := limit - len(prompt)) < 1:
            raise RequestError(
                f"the conversation is {len(prompt)} tokens long and the model reads {limit}, answer included:"
                " shorten it or start a new one"
            )
        room = min(room, request.max_new_tokens)
        ends, tokenizer, size = _ends(self.model), self.processor.tokenizer, text_config.vocab_size
        schema = request.json_schema
        grammar = None if schema is None else compile_schema(schema, tokenizer, size, ends)
        sampler = Sampler(request, prompt, size, grammar=grammar)
        pictures = 0 if request.blind else _count_pictures(request)
        return _answer(self.model, inputs, sampler, TextStream(tokenizer, request.stop, room), room, pictures)


def encode(model: PreTrainedModel, processor: Any, request: GenerationRequest) -> dict[str, Tensor]:
    """What the model reads. Raises RequestError where its template or its processor does not take the conversation."""
    special = _special_tokens(processor)
    messages = [
        {"role": message["role"], "content": _parts(message, request.blind, special)} for message in request.messages
    ]
    try:
        if getattr(processor, "chat_template", None) is None or messages[0]["role"] == PLAIN_TEXT:
            inputs = _encode_plainly(processor, messages)
        else:
            inputs = processor.apply_chat_template(
                messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
            )
    except TemplateError as error:
        raise RequestError(f"the model's chat template does not take this conversation: {error}") from None
    except ValueError as error:
        raise RequestError("the model's processor does not take this conversation: it may want a picture") from error
    read = inspect.signature(model.forward).parameters.keys() - {"labels"}
    inputs = inputs.to(model.device, dtype=model.dtype)
    return {name: value for name, value in inputs.items() if name in read}


def _count_pictures(request: GenerationRequest) -> int:
    contents = [message["content"] for message in request.messages if not isinstance(message["content"], str)]
    return sum(part["type"] == "image" for content in contents for part in content)


def _parts(message: dict[str, Any], blind: bool, special: list[str]) -> list[dict[str, Any]]:
    content = message["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [
        {"type": "image", "image": part["image"]}
        if part["type"] == "image"
        else {"type": "text", "text": _as_plain(part["text"], special)}
        for part in parts
        if not (blind and part["type"] == "image")
    ]


def _special_tokens(processor: Any) -> list[str]:
    """What no text may spell, longest first: it could end a turn or stand for a picture."""
    tokenizer = processor.tokenizer
    places = [getattr(processor, f"{kind}_token", None) for kind in ("image", "video", "audio")]
    tokens = {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab(), *filter(None, places)}
    return sorted((token for token in tokens if len(token) > 1 and token.strip()), key=len, reverse=True)


def _as_plain(text: str, special: list[str]) -> str:
    """The same text to look at, and no special token in it."""
    for token in special:
        text = text.replace(token, f"{token[0]}{JOINER}{token[1:]}")
    return text


def _encode_plainly(processor: Any, messages: list[dict[str, Any]]) -> BatchFeature:
    """For processors without a chat template: the pictures, and all that was said, line by line."""
    parts = [part for message in messages for part in message["content"]]
    images = [part["image"] for part in parts if part["type"] == "image"]
    text = "\n".join(part["text"] for part in parts if part["type"] == "text")
    places = getattr(processor, "image_token", "") * len(images)
    return processor(text=[f"{places}{text}"], images=images or None).convert_to_tensors("pt")


def _ends(model: PreTrainedModel) -> set[int]:
    """The tokens that end an answer."""
    ends = model.generation_config.eos_token_id
    return {ends} if isinstance(ends, int) else set(ends or ())


def _answer(
    model: PreTrainedModel, inputs: dict[str, Tensor], sampler: Sampler, stream: TextStream, room: int, pictures: int
) -> Generator[Chunk, None, None]:
    with timed_encoder(model) as watch, closing(_chunks(model, inputs, sampler, stream, room)) as chunks:
        for chunk in chunks:
            yield replace(chunk, pictures=picture_reports(model, inputs, pictures, watch.seconds))


def _chunks(
    model: PreTrainedModel, inputs: dict[str, Tensor], sampler: Sampler, stream: TextStream, room: int
) -> Generator[Chunk, None, None]:
    """The tokens of a `generate` in a thread, which makes one when it is asked for one; closing ends it."""
    ids, ends = inputs["input_ids"][0], _ends(model)
    image_tokens = int((ids == model.config.image_token_id).sum())
    steps = _Steps(sampler)
    thread = threading.Thread(target=steps.run, args=(model, inputs, room), name="regard-generate", daemon=True)
    thread.start()
    try:
        while True:
            steps.wanted.release()
            item = steps.made.get()
            if isinstance(item, BaseException):
                raise item
            token, logprob = item
            text, reason = stream.push(token, token in ends)
            shown = () if logprob is None or token in ends else (logprob,)
            yield Chunk(text, reason, len(ids), stream.count, logprobs=shown, image_tokens=image_tokens)
            if reason is not None:
                return
    finally:
        steps.is_left = True
        steps.wanted.release()
        thread.join()


class _Left(Exception):
    """Nobody wants more tokens."""


class _Steps(LogitsProcessor):
    """Stands inside `generate`: waits until a token is wanted, chooses it, and hands it over."""

    def __init__(self, sampler: Sampler):
        self.wanted = threading.Semaphore(0)
        self.made: queue.SimpleQueue[tuple[int, TokenLogprob | None] | BaseException] = queue.SimpleQueue()
        self.is_left = False
        self._sampler = sampler

    def run(self, model: PreTrainedModel, inputs: dict[str, Tensor], room: int) -> None:
        steps = LogitsProcessorList([self])
        try:
            model.generate(**inputs, max_new_tokens=room, do_sample=False, num_beams=1, logits_processor=steps)
        except _Left:
            pass
        except BaseException as error:  # for whoever waits for a token
            self.made.put(error)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """scores [1, V] -> the same with nothing but the chosen token left."""
        self.wanted.acquire()
        if self.is_left:
            raise _Left
        token, logprob = self._sampler.choose(scores[0])
        self.made.put((token, logprob))
        only = torch.full_like(scores, float("-inf"))
        only[0, token] = 0
        return only
