"""What is asked for and what comes back, whatever computes it: requests, chunks, and tokens turned into text.

No model in here: the loop that answers one request and the engine that answers many share it.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from transformers import PreTrainedTokenizerBase

from .sampling import RequestError, SamplingOptions, TokenLogprob

MAX_ANSWERS = 16  # of one prompt
HALF = "\N{REPLACEMENT CHARACTER}"  # what a tokenizer makes of a character that is not whole yet
WINDOW = 64  # tokens that are decoded together at most, and how many of them stay for context
CONTEXT = 8
BYTE_TOKEN = re.compile("<0x([0-9A-F]{2})>")  # as tokenizers with a fallback to bytes write one

FinishReason = Literal["stop", "length"]
HintKind = Literal["structure", "objects", "text"]


@dataclass(frozen=True)
class GenerationRequest(SamplingOptions):
    """What is to be answered, and how. Raises RequestError for values out of range."""

    # {"role": "system" | "user" | "assistant", "content": str or parts}; parts are {"type": "text", "text": str} and
    # {"type": "image", "image": PIL.Image}.
    messages: list[dict[str, Any]]
    max_new_tokens: int = 256
    stop: tuple[str, ...] = ()
    blind: bool = False  # leave the pictures out: what would the answer be without them?
    # Whether what is read in the pictures is said to the model (vlm/hints): "off" reads nothing, "on" everything,
    # "auto" text only where a glance shows that there is some.
    hints: Literal["auto", "on", "off"] = "auto"
    n: int = 1  # answers to this one prompt
    # How much more than without the picture a token must be likely with it: 0 is off (arXiv 2311.16922).
    visual_guidance: float = 0.0
    json_schema: str | None = None  # the answer is JSON of this form; see vlm/grammar.py
    adapter: str | None = None  # which of those that the engine has; None: the model as it is

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_new_tokens < 1:
            raise RequestError(f"max_new_tokens must be at least 1, got {self.max_new_tokens}")
        if not 1 <= self.n <= MAX_ANSWERS:
            raise RequestError(f"n must be between 1 and {MAX_ANSWERS}, got {self.n}")
        if not 0 <= self.visual_guidance <= 5:
            raise RequestError(f"visual_guidance must be between 0 and 5, got {self.visual_guidance}")
        if not self.messages:
            raise RequestError("there is no message to answer")
        if any(not text for text in self.stop):
            raise RequestError("a stop string must not be empty")


@dataclass(frozen=True)
class PictureReport:
    """What was done with one picture of a request."""

    processed_size: tuple[int, int]  # pixels, width and height, that the vision tower saw of it: without the padding
    features: int
    encode_ms: float  # 0 where it was known
    is_cached: bool
    hints: tuple[HintKind, ...] = ()  # what was said of it to the language model
    hints_ms: Mapping[HintKind, float] = field(default_factory=dict)  # that looking for each took; none where known


@dataclass(frozen=True)
class Chunk:
    """A piece of an answer. Texts hold whole characters and never a part of a stop string."""

    text: str  # empty while what came is held back, and perhaps in the last piece
    finish_reason: FinishReason | None  # set in the last piece only
    prompt_tokens: int
    completion_tokens: int  # so far
    index: int = 0  # which of the `n` answers this is a piece of
    logprobs: tuple[TokenLogprob, ...] = ()  # of the tokens that came with this piece, where asked for
    cached_tokens: int = 0  # of the prompt, that were not read again
    pictures: tuple[PictureReport, ...] = ()
    image_tokens: int = 0  # of the prompt, that stand for pictures


class TextStream:
    """Token ids -> pieces of text that can be shown at once: whole characters, nothing that may begin a stop string."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, stop: tuple[str, ...], max_tokens: int):
        self.count = 0  # tokens so far
        self._tokenizer = tokenizer
        self._stop = stop
        self._max_tokens = max_tokens
        self._window: list[int] = []  # the latest tokens
        self._before = ""  # the text up to the window's first new character,
        self._known = 0  # which is this one
        self._sent = 0

    def push(self, token: int, ends_turn: bool) -> tuple[str, FinishReason | None]:
        """The text that can be shown now that `token` is there, and why the answer is over, if it is."""
        self.count += 1
        if not ends_turn:
            self._window.append(token)
        text = self._text()
        if (cut := first_stop(text, self._stop)) is not None:
            return text[self._sent : cut], "stop"
        if ends_turn:
            return text[self._sent :], "stop"
        if self.count == self._max_tokens:
            return text[self._sent :].rstrip(HALF), "length"
        ready = max(self._sent, len(text) - held_back(text, self._stop))
        piece, self._sent = text[self._sent : ready], ready
        return piece, None

    def _text(self) -> str:
        new = self._tokenizer.decode(self._window, skip_special_tokens=True)[self._known :]
        text = self._before + new
        if len(self._window) >= WINDOW and not text.endswith(HALF):
            self._before, self._window = text, self._window[-CONTEXT:]
            self._known = len(self._tokenizer.decode(self._window, skip_special_tokens=True))
        return text


def spell(tokenizer: PreTrainedTokenizerBase, token: int) -> tuple[str, bytes | None]:
    """A token as text, and its bytes in UTF-8; of a part of a character U+FFFD, and None where its bytes are not known.

    It is looked at behind itself, because some tokenizers leave out a space at the beginning of a text.
    """
    alone, twice = (tokenizer.decode([token] * times, clean_up_tokenization_spaces=False) for times in (1, 2))
    text = twice[len(alone) :]
    if HALF not in text:
        return text, text.encode()
    piece = tokenizer.convert_ids_to_tokens(token)
    if match := BYTE_TOKEN.fullmatch(piece):
        return text, bytes([int(match[1], 16)])
    known = _bytes_of_characters()
    return text, bytes(known[character] for character in piece) if set(piece) <= known.keys() else None


@functools.cache
def _bytes_of_characters() -> dict[str, int]:
    """How byte-level tokenizers write bytes."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode  # slow to import, and rarely needed

    return {character: byte for byte, character in bytes_to_unicode().items()}


def first_stop(text: str, stop: tuple[str, ...]) -> int | None:
    """Where the first stop string in `text` begins."""
    return min((place for word in stop if (place := text.find(word)) >= 0), default=None)


def held_back(text: str, stop: tuple[str, ...]) -> int:
    """How many characters at the end must wait: a character that is not whole yet, or what may begin a stop string."""
    whole = text.rstrip(HALF)
    begun = (n for word in stop for n in range(1, len(word)) if whole.endswith(word[:n]))
    return len(text) - len(whole) + max(begun, default=0)
