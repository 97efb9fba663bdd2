"""POST /v1/completions: text that goes on, without a chat around it and without pictures."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from vlm.processing_vlm import PLAIN_TEXT

from .config import ServeConfig
from .engine import Chunk
from .schemas import (
    UNSUPPORTED_IN_STREAM_OPTIONS,
    Part,
    Question,
    StopString,
    StreamOptions,
    check_stream_options,
    with_stop_as_list,
)
from .streaming import DONE, Head, event, usage
from .wire import Unsupported, log_ignored, not_supported, refuse_fields, validate

UNSUPPORTED: Unsupported = {
    "best_of": (1,),
    "echo": (False,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (),
    "n": (1,),
    "presence_penalty": (0,),
    "suffix": ("",),
}


class CompletionRequest(Question):
    """The body of POST /v1/completions."""

    text_field = "prompt"

    prompt: Annotated[str, StringConstraints(min_length=1)]
    max_tokens: int | None = Field(16, ge=1)  # OpenAI's default
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: list[StopString] | None = Field(None, max_length=4)
    stream_options: StreamOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_stop(cls, request: Any) -> Any:
        return with_stop_as_list(request)

    @model_validator(mode="before")
    @classmethod
    def _only_prompt(cls, request: Any) -> Any:
        if isinstance(request, dict) and isinstance(prompt := request.get("prompt"), list) and len(prompt) == 1:
            return {**request, "prompt": prompt[0]}
        return request

    @model_validator(mode="after")
    def _fields_agree(self) -> "CompletionRequest":
        check_stream_options(self.stream, self.stream_options)
        return self

    def turns(self) -> list[tuple[str, list[Part]]]:
        return [(PLAIN_TEXT, [Part(type="text", text=self.prompt)])]

    def options(self) -> dict[str, Any]:
        stop = None if self.stop is None else tuple(self.stop)
        return {"max_new_tokens": self.max_tokens, "seed": self.seed, "stop": stop}


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


@dataclass(frozen=True)
class CompletionReply:
    """OpenAI's `text_completion`, whole or in pieces."""

    head: Head
    include_usage: bool = False

    def whole(self, text: str, last: Chunk) -> dict[str, Any]:
        return {**self._body(text, last.finish_reason), "usage": usage(last)}

    def opening(self) -> bytes:
        return b""

    def piece(self, text: str) -> bytes:
        return self._event(text, None)

    def closing(self, last: Chunk) -> bytes:
        end = self._event("", last.finish_reason)
        if self.include_usage:
            end += event({**self.head.body("cmpl", "text_completion"), "choices": [], "usage": usage(last)})
        return end + DONE

    def failure(self, body: dict[str, Any]) -> bytes:
        return event(body)

    def _event(self, text: str, finish_reason: str | None) -> bytes:
        return event({**self._body(text, finish_reason), **({"usage": None} if self.include_usage else {})})

    def _body(self, text: str, finish_reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish_reason}
        return {**self.head.body("cmpl", "text_completion"), "choices": [choice]}
