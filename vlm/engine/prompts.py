"""A request made ready for the batch: tokens, hashes of its pictures, and what of it is known already.

`prepare` computes nothing with the model and may run in any thread; `Pictures.encode` belongs to the thread that owns
the model.
"""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from ..answers import GenerationRequest, PictureReport
from ..generation import encode, grammar_of
from ..modeling_vlm import VlmForConditionalGeneration
from ..perception import Perceived
from ..processing_vlm import VlmProcessor
from ..sampling import Sampler
from .caches import BoundedCache, EncodedPicture, Unit, picture_hash
from .variants import Variant

if TYPE_CHECKING:
    from ..grammar import Grammar


@dataclass
class Prompt:
    """One request on its way into the batch."""

    request: GenerationRequest
    variant: Variant  # what it is read with
    ids: list[int]
    room: int  # tokens that its answer may have
    blind_ids: list[int]  # of what it is compared with: the same without hints; empty where it is not guided
    images: list[Image.Image]
    perceived: list[Perceived | None]  # what hints were made of
    hashes: list[bytes]
    pixel_values: list[Tensor | None]  # [1, 1, 3, S, S] of each picture; None where it was known at that time
    image_tokens: int = 0  # among `ids`
    grammar: "Grammar | None" = None  # what each answer must be; they go their ways through copies
    cached_tokens: int = 0  # set when it is read
    reports: tuple[PictureReport, ...] = ()
    encoded: list[EncodedPicture] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Slots that its answers take: guidance needs a second one that does not see the pictures."""
        return self.request.n * (2 if self.is_guided else 1)

    def sampler(self, vocabulary_size: int, number: int = 0) -> Sampler:
        """For answer `number`. Raises RequestError for options that this model cannot follow."""
        grammar = None if self.grammar is None else self.grammar.copy()
        return Sampler(self.request, self.ids, vocabulary_size, number, grammar)

    @property
    def is_guided(self) -> bool:
        return bool(self.blind_ids)

    def units(self, image_token_id: int, image_seq_length: int, blind: bool) -> list[Unit]:
        """Its tokens; at an image token the hash of the picture, or nothing where it is not seen."""
        units: list[Unit] = list(self.blind_ids if blind else self.ids)
        seen = 0
        for i, token in enumerate(units):
            if token == image_token_id:
                units[i] = self.hashes[seen // image_seq_length] if self.hashes and not blind else b""
                seen += 1
        if self.variant.key:
            units[0] = (self.variant.key, units[0])
        return units


class Pictures:
    """Encodes pictures, each alone, so that the result does not depend on its neighbours; and keeps them."""

    def __init__(self, model: VlmForConditionalGeneration, processor: VlmProcessor, max_bytes: int):
        self.cache: BoundedCache[EncodedPicture] = BoundedCache(max_bytes)
        self.encode_seconds = 0.0
        self._model, self._processor = model, processor

    def prepare(self, request: GenerationRequest, bare: GenerationRequest, variant: Variant) -> Prompt:
        """Tokens, hashes and pixel values of a request; `bare` is the same before hints were said in it.

        Raises RequestError for what this model cannot answer.
        """
        chat, room = encode(self._model, self._processor, request)
        images = [] if request.blind else chat.images
        is_guided = bool(images and request.visual_guidance)
        blind_ids = encode(self._model, self._processor, bare)[0].input_ids if is_guided else []
        contents = [message["content"] for message in request.messages if not isinstance(message["content"], str)]
        perceived = [part.get("perceived") for content in contents for part in content if part["type"] == "image"]
        hashes = [picture_hash(image) for image in images]
        known = [(variant.pictures_key, key) in self.cache for key in hashes]
        pixel_values = [
            None if is_known else self._processor.pixel_values([[image]])
            for image, is_known in zip(images, known, strict=True)
        ]
        grammar = grammar_of(self._model, self._processor, request)
        return Prompt(
            request, variant, chat.input_ids, room, blind_ids, images, perceived, hashes, pixel_values,
            image_tokens=chat.input_ids.count(self._model.config.image_token_id), grammar=grammar,
        )  # fmt: skip

    @torch.inference_mode()
    def encode(self, prompt: Prompt) -> None:
        """Fill in `encoded` and `reports` of a prompt."""
        pictures = zip(prompt.images, prompt.hashes, prompt.pixel_values, strict=True)
        found = [self._encode_one(prompt.variant, *picture) for picture in pictures]
        prompt.encoded = [picture for picture, _ in found]
        seen = zip(prompt.images, prompt.perceived, found, strict=False)  # what is not looked at has no report
        prompt.reports = tuple(self._report(image, perceived, *result) for image, perceived, result in seen)

    def _encode_one(
        self, variant: Variant, image: Image.Image, digest: bytes, pixel_values: Tensor | None
    ) -> tuple[EncodedPicture, float | None]:
        """One picture, and the seconds that encoding it took; None where it was known."""
        key = (variant.pictures_key, digest)
        if (picture := self.cache.get(key)) is not None:
            return picture, None
        started = time.perf_counter()
        if pixel_values is None:  # it was known when the prompt was prepared, and has been forgotten since
            pixel_values = self._processor.pixel_values([[image]])
        encoded = variant.model.encode_images(pixel_values)
        picture = EncodedPicture(encoded.features, encoded.key_values)
        self.cache.put(key, picture, picture.size)
        seconds = time.perf_counter() - started
        self.encode_seconds += seconds
        return picture, seconds

    def _report(
        self, image: Image.Image, perceived: Perceived | None, picture: EncodedPicture, seconds: float | None
    ) -> PictureReport:
        left, top, right, bottom = self._processor.image_processor.letterbox(image.size)
        hints, hints_ms = ((), {}) if perceived is None else (perceived.kinds, perceived.milliseconds)
        return PictureReport(
            (right - left, bottom - top), picture.features.shape[2], 1000 * (seconds or 0.0), seconds is None,
            hints, hints_ms,
        )  # fmt: skip


@dataclass
class Text:
    """A prompt as the decoder reads it, with or without its pictures."""

    units: list[Unit]
    embeddings: Tensor  # [1, T, D]
    visible: Tensor  # int [1, T]: how many pictures each token sees
    pictures: list[EncodedPicture]


@torch.inference_mode()
def embed(model: VlmForConditionalGeneration, prompt: Prompt, blind: bool) -> Text:
    """The text of a prompt whose pictures are encoded; `blind`: as if there were none, and nothing read in them."""
    config, pictures = model.config, [] if blind else prompt.encoded
    ids = torch.tensor([prompt.blind_ids if blind else prompt.ids])
    features = torch.cat([picture.features for picture in pictures], dim=1) if pictures else None
    visible = torch.zeros_like(ids)
    if pictures:
        visible = model.get_image_attention_mask(ids, len(pictures)).sum(dim=-1)
    units = prompt.units(config.image_token_id, config.image_seq_length, blind)
    return Text(units, model.embed(ids, features), visible, pictures)
