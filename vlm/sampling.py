"""One sampler for every path: logits of one answer's next token -> a token, and how likely it was.

Each answer has its own `Sampler` with its own random numbers, and is sampled from its own row: what else is in the
batch cannot change it. Order, as in transformers: bias and penalties, temperature, top_k, top_p, min_p; before all of
them a grammar, where there is one, leaves only the tokens that it allows.

Shape letters: V vocabulary.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from .grammar import Grammar

MAX_TOP_LOGPROBS = 20
MAX_BIASES = 1024
SHORTLIST = 256  # candidates that are sorted first; the whole vocabulary only where these do not hold top_p


class RequestError(ValueError):
    """A request that this model cannot answer. The message says why, in the user's words."""


class SamplingError(ArithmeticError):
    """A row of logits that nothing can be drawn from: the model computed something that is not a number."""


@dataclass(frozen=True, kw_only=True)
class SamplingOptions:
    """How the next token is chosen. Raises RequestError for values out of range."""

    temperature: float = 0.0  # 0 is greedy
    top_p: float = 1.0
    top_k: int = 0  # 0: all
    min_p: float = 0.0  # of the likeliest token's probability
    repetition_penalty: float = 1.0  # divides logits of tokens in the prompt and the answer (arXiv 1909.05858)
    presence_penalty: float = 0.0  # taken off the logit of a token that the answer has
    frequency_penalty: float = 0.0  # and this for each time it has it
    logit_bias: Mapping[int, float] = field(default_factory=dict)  # added to the logits of these tokens
    seed: int | None = None
    top_logprobs: int | None = None  # None: no log-probabilities; else of the token and of this many likeliest

    def __post_init__(self) -> None:
        for name, low, high in (
            ("temperature", 0, 2), ("min_p", 0, 1), ("presence_penalty", -2, 2), ("frequency_penalty", -2, 2),
        ):  # fmt: skip
            if not low <= (found := getattr(self, name)) <= high:
                raise RequestError(f"{name} must be between {low} and {high}, got {found}")
        if not 0 < self.top_p <= 1:
            raise RequestError(f"top_p must be above 0 and at most 1, got {self.top_p}")
        if self.top_k < 0:
            raise RequestError(f"top_k must be 0 (all tokens) or more, got {self.top_k}")
        if not 0 < self.repetition_penalty <= 10:
            raise RequestError(f"repetition_penalty must be above 0 and at most 10, got {self.repetition_penalty}")
        if len(self.logit_bias) > MAX_BIASES:
            raise RequestError(f"logit_bias may name {MAX_BIASES} tokens, got {len(self.logit_bias)}")
        if any(not -100 <= bias <= 100 for bias in self.logit_bias.values()):
            raise RequestError("every logit_bias must be between -100 and 100")
        if self.top_logprobs is not None and not 0 <= self.top_logprobs <= MAX_TOP_LOGPROBS:
            raise RequestError(f"top_logprobs must be between 0 and {MAX_TOP_LOGPROBS}, got {self.top_logprobs}")


@dataclass(frozen=True)
class TokenLogprob:
    """How likely the model found a token, before temperature, penalties and cuts."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()  # the likeliest tokens, best first


class Sampler:
    """Draws the tokens of one answer. `number` tells the answers of one prompt apart: each has its own random numbers.

    Raises RequestError where `logit_bias` names a token that is not one of `vocabulary_size`.
    """

    def __init__(
        self,
        options: SamplingOptions,
        prompt_ids: list[int],
        vocabulary_size: int,
        number: int = 0,
        grammar: "Grammar | None" = None,
    ):
        self._options = options
        self._grammar = grammar
        self._random = torch.Generator()
        if options.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed((options.seed + number) % 2**63)
        if unknown := [token for token in options.logit_bias if not 0 <= token < vocabulary_size]:
            raise RequestError(f"logit_bias names token {unknown[0]}; the model has {vocabulary_size} tokens")
        self._bias: Tensor | None = None  # [V]
        if options.logit_bias:
            self._bias = torch.zeros(vocabulary_size)
            self._bias[list(options.logit_bias)] = torch.tensor(list(options.logit_bias.values()))
        self._seen: Tensor | None = None  # bool [V]: in the prompt or the answer
        if options.repetition_penalty != 1:
            self._seen = torch.zeros(vocabulary_size, dtype=torch.bool)
            self._seen[[token for token in prompt_ids if 0 <= token < vocabulary_size]] = True  # not image tokens
        self._counts: Tensor | None = None  # [V]: times in the answer
        if options.presence_penalty or options.frequency_penalty:
            self._counts = torch.zeros(vocabulary_size)

    def choose(self, logits: Tensor) -> tuple[int, TokenLogprob | None]:
        """logits [V] -> the next token, which is from then on part of the answer; its likelihood where asked for."""
        logits = logits.float().cpu()
        token = self._draw(self._penalise(logits))
        if self._grammar is not None:
            self._grammar.advance(token)
        if self._seen is not None:
            self._seen[token] = True
        if self._counts is not None:
            self._counts[token] += 1
        return token, None if self._options.top_logprobs is None else self._likelihood(logits, token)

    def _penalise(self, logits: Tensor) -> Tensor:
        options = self._options
        if self._grammar is not None:
            logits = logits.masked_fill(~self._grammar.allowed(len(logits)), float("-inf"))
        if self._bias is not None:
            logits = logits + self._bias
        if self._seen is not None:
            factor = options.repetition_penalty
            penalised = torch.where(logits > 0, logits / factor, logits * factor)
            logits = torch.where(self._seen, penalised, logits)
        if self._counts is not None:
            logits = logits - options.frequency_penalty * self._counts - options.presence_penalty * (self._counts > 0)
        return logits

    def _draw(self, logits: Tensor) -> int:
        token = int(logits.numpy().argmax())  # faster than torch's; the place of a NaN, where there is one
        if not (best := logits[token]).isfinite():
            raise SamplingError("the model's logits are not numbers")
        if self._options.temperature == 0:
            return token
        weights, tokens = self._candidates(((logits - best) / self._options.temperature).exp())
        total = weights.double().cumsum(dim=0)
        place = torch.rand(1, generator=self._random, dtype=torch.float64) * total[-1]
        drawn = min(int(torch.searchsorted(total, place, right=True)), len(total) - 1)
        return drawn if tokens is None else int(tokens[drawn])

    def _candidates(self, weights: Tensor) -> tuple[Tensor, Tensor | None]:
        """Probabilities up to a factor [V] -> those of the tokens that may be drawn, and the tokens (None: all)."""
        options = self._options
        if not options.top_k and options.top_p == 1 and not options.min_p:
            return weights, None
        size = len(weights)
        count = min(options.top_k or size, size)
        top, tokens = weights.topk(min(count, SHORTLIST))
        # top_p is of what top_k leaves, so the shortlist decides where the sum of all of that is known.
        total = weights.double().sum() if count == size else None
        if len(top) < count and (total is None or top.double().sum() < options.top_p * total):
            top, tokens = weights.topk(count)
        before = top.double().cumsum(dim=0) - top  # what stands in front of each
        if total is None:
            total = top.double().sum()
        kept = (before < options.top_p * total) & (top >= options.min_p * top[0])
        kept[0] = True
        return top[kept], tokens[kept]

    def _likelihood(self, logits: Tensor, token: int) -> TokenLogprob:
        logprobs = logits.log_softmax(dim=0)
        top = logprobs.topk(self._options.top_logprobs)
        return TokenLogprob(
            token, float(logprobs[token]), tuple(zip(top.indices.tolist(), top.values.tolist(), strict=True))
        )
