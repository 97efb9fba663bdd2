"""Answers that must be JSON of a given form: which tokens may come next, by llguidance.

A schema becomes a `Grammar` once; every answer goes its own way through a copy. JSON is written as Python writes it, on
one line, so that no answer can go on for ever in white space.

Shape letters: V vocabulary.
"""

import weakref
from collections.abc import Iterable

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from .sampling import RequestError

ANY_OBJECT = '{"type": "object"}'
MAX_SCHEMA_CHARS = 64_000
STYLE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}

# A tokenizer is read once; it takes a second.
_TOKENIZERS: "weakref.WeakKeyDictionary[PreTrainedTokenizerBase, LLTokenizer]" = weakref.WeakKeyDictionary()


class Grammar:
    """Where one answer stands in the JSON that it must become."""

    def __init__(self, matcher: LLMatcher):
        self._matcher = matcher

    def copy(self) -> "Grammar":
        """One that stands at the same place, and goes its own way."""
        return Grammar(self._matcher.deep_copy())

    def allowed(self, size: int) -> Tensor:
        """Bool [V], `size` tokens: what may come next. Raises RequestError where the schema asks for too much."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        self._check()
        allowed = np.zeros(size, dtype=bool)
        known = np.unpackbits(bits, bitorder="little")[:size]
        allowed[: len(known)] = known
        return torch.from_numpy(allowed)

    def advance(self, token: int) -> None:
        """The answer has this token, which was allowed."""
        self._matcher.consume_token(token)
        self._check()

    def _check(self) -> None:
        if self._matcher.is_error():
            raise _refused(self._matcher.get_error())


def check_schema(schema: str) -> None:
    """Raises RequestError where no answer can be held to this JSON schema; the message says why."""
    if len(schema) > MAX_SCHEMA_CHARS:
        raise RequestError(f"the JSON schema has {len(schema)} characters; at most {MAX_SCHEMA_CHARS} are read")
    if problem := LLMatcher.validate_grammar(_grammar(schema)):
        raise _refused(problem)


def compile_schema(
    schema: str, tokenizer: PreTrainedTokenizerBase, vocabulary_size: int, ends: Iterable[int]
) -> Grammar:
    """The grammar of a JSON schema over a model's tokens, of which `ends` end an answer. Raises RequestError."""
    check_schema(schema)
    if tokenizer not in _TOKENIZERS:
        ending = sorted(ends) or [tokenizer.eos_token_id]
        size = max(vocabulary_size, len(tokenizer))  # an image token may stand beyond the vocabulary
        _TOKENIZERS[tokenizer] = from_tokenizer(tokenizer, n_vocab=size, eos_token=ending)
    grammar = Grammar(LLMatcher(_TOKENIZERS[tokenizer], _grammar(schema), log_level=0))
    grammar._check()
    return grammar


def _grammar(schema: str) -> str:
    return LLMatcher.grammar_from_json_schema(schema, overrides=STYLE)


def _refused(problem: str) -> RequestError:
    """With what llguidance says, in plain letters and cut: it may quote the schema."""
    return RequestError(f"the JSON schema cannot be used: {ascii(' '.join(problem.split()))[1:-1][:300]}")
