"""POST /v1/completions: text that goes on, without a chat around it and without pictures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from vlm.processing_vlm import PLAIN_TEXT

from .config import ServeConfig
from .engine import Chunk, GenerationRequest
from .logprobs import Spell, completion_logprobs
from .schemas import UNSUPPORTED_IN_STREAM_OPTIONS, AnswersQuestion, Part
from .streaming import DONE, Head, event, usage
from .wire import Unsupported, log_ignored, not_supported, refuse_fields, validate

UNSUPPORTED: Unsupported = {
    "best_of": (1,),
    "echo": (False,),
    "suffix": ("",),
}


class CompletionRequest(AnswersQuestion):
    """The body of POST /v1/completions."""

    text_field = "prompt"

    prompt: Annotated[str, StringConstraints(min_length=1)]
    max_tokens: int | None = Field(16, ge=1)  # OpenAI's default
    logprobs: int | None = Field(None, ge=0, le=5)

    @model_validator(mode="before")
    @classmethod
    def _only_prompt(cls, request: Any) -> Any:
        if isinstance(request, dict) and isinstance(prompt := request.get("prompt"), list) and len(prompt) == 1:
            return {**request, "prompt": prompt[0]}
        return request

    def turns(self) -> list[tuple[str, list[Part]]]:
        return [(PLAIN_TEXT, [Part(type="text", text=self.prompt)])]

    def options(self) -> dict[str, Any]:
        return {**super().options(), "max_new_tokens": self.max_tokens, "top_logprobs": self.logprobs}


def read_completion(values: dict[str, Any], config: ServeConfig) -> CompletionRequest:
    """Check a parsed body; BadRequest names the field at fault and never quotes it."""
    refuse_fields(values, "", UNSUPPORTED)
    refuse_fields(values.get("stream_options"), "stream_options.", UNSUPPORTED_IN_STREAM_OPTIONS)
    if isinstance(prompt := values.get("prompt"), list) and [type(item) for item in prompt] != [str]:
        raise not_supported("prompt", "prompt must be one text: this server takes no token ids and no lists of texts.")
    request = validate(CompletionRequest, values)
    request.check_limits(config)
    log_ignored(values, CompletionRequest.model_fields.keys() | UNSUPPORTED.keys())
    return request


@dataclass
class CompletionReply:
    """OpenAI's `text_completion`, whole or in pieces."""

    head: Head
    asked: GenerationRequest
    spell: Spell
    include_usage: bool = False
    _offsets: Counter[int] = field(default_factory=Counter)  # characters of the tokens so far, of each answer

    def whole(self, answers: Sequence[Chunk]) -> dict[str, Any]:
        choices = [self._choice(answer, answer.finish_reason) for answer in answers]
        return {**self._head(), "choices": choices, "usage": usage(answers)}

    def opening(self) -> bytes:
        return b""

    def piece(self, chunk: Chunk) -> bytes:
        said = self._event(self._choice(chunk)) if chunk.text or chunk.logprobs else b""
        if chunk.finish_reason is not None:
            said += self._event(self._choice(replace(chunk, text="", logprobs=()), chunk.finish_reason))
        return said

    def closing(self, lasts: Sequence[Chunk]) -> bytes:
        return (event({**self._head(), "choices": [], "usage": usage(lasts)}) if self.include_usage else b"") + DONE

    def failure(self, body: dict[str, Any]) -> bytes:
        return event(body)

    def _event(self, choice: dict[str, Any]) -> bytes:
        return event({**self._head(), "choices": [choice], **({"usage": None} if self.include_usage else {})})

    def _choice(self, chunk: Chunk, finish_reason: str | None = None) -> dict[str, Any]:
        logprobs = None
        if self.asked.top_logprobs is not None and chunk.logprobs:
            logprobs = completion_logprobs(chunk.logprobs, self.spell, self._offsets[chunk.index])
            self._offsets[chunk.index] += sum(map(len, logprobs["tokens"]))
        return {"index": chunk.index, "text": chunk.text, "logprobs": logprobs, "finish_reason": finish_reason}

    def _head(self) -> dict[str, Any]:
        return self.head.body("cmpl", "text_completion")
