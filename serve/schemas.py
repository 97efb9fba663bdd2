"""The chat request on the wire: OpenAI's fields, checked one by one.

A field of OpenAI's that Regard does not implement is refused by name, because an answer that silently ignores it
would be wrong; its do-nothing values pass. A field that OpenAI does not have is ignored with a log line.
The one extension is `blind`.
"""

import json
import logging
from collections.abc import Iterable, Set
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, ValidationError, model_validator

from .config import ServeConfig
from .errors import BadRequest

logger = logging.getLogger(__name__)

# What OpenAI's API has and this one has not, each with the values that ask for nothing; null always does.
UNSUPPORTED_IN_REQUEST: dict[str, tuple[Any, ...]] = {
    "audio": (),
    "frequency_penalty": (0,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "metadata": ({},),
    "modalities": (["text"],),
    "moderation": (),
    "n": (1,),
    "parallel_tool_calls": (True, False),
    "prediction": (),
    "presence_penalty": (0,),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "reasoning_effort": ("none",),
    "response_format": ({"type": "text"},),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
    "verbosity": ("medium",),
    "web_search_options": (),
}
UNSUPPORTED_IN_STREAM_OPTIONS: dict[str, tuple[Any, ...]] = {"include_obfuscation": (False,)}
UNSUPPORTED_IN_MESSAGE: dict[str, tuple[Any, ...]] = {
    "annotations": ([],),
    "audio": (),
    "function_call": (),
    "name": (),
    "refusal": (),
    "tool_call_id": (),
    "tool_calls": ([],),
}
UNSUPPORTED_ROLES = ("tool", "function")
UNSUPPORTED_PARTS = ("input_audio", "file", "refusal")

StopString = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Tag = Annotated[str, StringConstraints(max_length=512)]


class Wire(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


W = TypeVar("W", bound=Wire)


class ImageUrl(Wire):
    url: str
    detail: Literal["auto", "low", "high"] = "auto"  # only a hint, and the model has one resolution


class Part(Wire):
    """A piece of a message: a text, or a picture."""

    type: Literal["text", "image_url"]
    text: str | None = None
    image_url: ImageUrl | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_url(cls, part: Any) -> Any:
        if isinstance(part, dict) and isinstance(url := part.get("image_url"), str):
            return {**part, "image_url": {"url": url}}
        return part

    @model_validator(mode="after")
    def _has_what_it_says(self) -> "Part":
        if getattr(self, self.type) is None:
            raise ValueError(f"A part of type {self.type} needs the field {self.type}")
        return self


class Message(Wire):
    role: Literal["system", "developer", "user", "assistant"]
    content: list[Part]

    @model_validator(mode="before")
    @classmethod
    def _bare_text(cls, message: Any) -> Any:
        if isinstance(message, dict) and isinstance(text := message.get("content"), str):
            return {**message, "content": [{"type": "text", "text": text}]}
        return message

    @model_validator(mode="after")
    def _only_users_show_pictures(self) -> "Message":
        if self.role != "user" and any(part.type == "image_url" for part in self.content):
            raise ValueError(f"Only a user message can hold pictures, this one is of role {self.role}")
        return self


class StreamOptions(Wire):
    include_usage: bool = False


class ChatRequest(Wire):
    """The body of POST /v1/chat/completions. None means that the server's default holds."""

    model: Tag
    messages: list[Message] = Field(min_length=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(None, gt=0, le=1, allow_inf_nan=False)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: list[StopString] | None = Field(None, max_length=4)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: Tag | None = None  # whose request it is: taken, as are the next two, and of no effect
    safety_identifier: Tag | None = None
    prompt_cache_key: Tag | None = None
    blind: StrictBool = False  # Regard's own: answer without looking, to see what the pictures decide

    @model_validator(mode="before")
    @classmethod
    def _bare_stop(cls, request: Any) -> Any:
        if isinstance(request, dict) and isinstance(stop := request.get("stop"), str):
            return {**request, "stop": [stop]}
        return request

    @model_validator(mode="after")
    def _fields_agree(self) -> "ChatRequest":
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options is only allowed when stream is true")
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            raise ValueError("max_tokens and max_completion_tokens exclude each other")
        return self

    def image_urls(self) -> list[tuple[str, str]]:
        """(field, url) of every picture, in the order of the conversation."""
        return [
            (f"messages[{i}].content[{j}].image_url.url", part.image_url.url)
            for i, message in enumerate(self.messages)
            for j, part in enumerate(message.content)
            if part.image_url is not None and part.type == "image_url"
        ]

    def check_limits(self, config: ServeConfig) -> None:
        """Refuse what multiplies work, before any of the work is done."""
        parts = [part for message in self.messages for part in message.content]
        for found, most, what in (
            (len(self.messages), config.max_messages, "messages"),
            (len(parts), config.max_parts, "content parts"),
            (len(self.image_urls()), config.max_images, "pictures"),
            (sum(len(part.text or "") for part in parts), config.max_text_chars, "characters of text"),
        ):
            if found > most:
                raise BadRequest(
                    f"The conversation has {found} {what}; this server takes at most {most}. Send a shorter one.",
                    param="messages",
                    code="conversation_too_large",
                )


def read_request(values: dict[str, Any], config: ServeConfig) -> ChatRequest:
    """Check a parsed body; BadRequest names the field at fault and never quotes it."""
    _refuse_unsupported(values)
    request = validate(ChatRequest, values)
    request.check_limits(config)
    log_ignored(values, ChatRequest.model_fields.keys() | UNSUPPORTED_IN_REQUEST.keys())
    return request


def validate(kind: type[W], values: dict[str, Any]) -> W:
    """The values as that kind of request, or a BadRequest with the first field at fault."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        param = _path(first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise BadRequest(f"{param}: {message}." if param else f"{message}.", param=param or None) from None


def _refuse_unsupported(values: dict[str, Any]) -> None:
    _refuse_fields(values, "", UNSUPPORTED_IN_REQUEST)
    _refuse_fields(values.get("stream_options"), "stream_options.", UNSUPPORTED_IN_STREAM_OPTIONS)
    for i, message in enumerate(_items(values.get("messages"))):
        _refuse_fields(message, f"messages[{i}].", UNSUPPORTED_IN_MESSAGE)
        if isinstance(message, dict):
            _refuse_kind(message.get("role"), UNSUPPORTED_ROLES, f"messages[{i}].role")
            for j, part in enumerate(_items(message.get("content"))):
                kind = part.get("type") if isinstance(part, dict) else None
                _refuse_kind(kind, UNSUPPORTED_PARTS, f"messages[{i}].content[{j}].type")


def _refuse_fields(values: Any, prefix: str, unsupported: dict[str, tuple[Any, ...]]) -> None:
    for name, harmless in unsupported.items() if isinstance(values, dict) else ():
        if (found := values.get(name)) is None or any(_is_same(found, value) for value in harmless):
            continue
        allowed = " or ".join(json.dumps(value) for value in harmless)
        hint = f"leave it out or set it to {allowed}" if allowed else "leave it out"
        raise _not_supported(f"{prefix}{name}", f"{prefix}{name} is not supported by this server: {hint}.")


def _is_same(found: Any, value: Any) -> bool:
    return bool(found == value) and isinstance(found, bool) == isinstance(value, bool)  # in Python true == 1


def _refuse_kind(found: Any, unsupported: tuple[str, ...], param: str) -> None:
    for kind in unsupported:
        if found == kind:
            raise _not_supported(param, f"{param} '{kind}' is not supported by this server.")


def _not_supported(param: str, message: str) -> BadRequest:
    return BadRequest(message, param=param, code="unsupported_parameter")


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def log_ignored(values: dict[str, Any], known: Set[str]) -> None:
    if unknown := [name for name in values if name not in known]:
        shown = ", ".join(ascii(name[:40]) for name in unknown[:8])
        logger.info("ignored %d unknown request field(s): %s", len(unknown), shown)


def _path(location: Iterable[int | str]) -> str:
    """('messages', 0, 'content') -> messages[0].content"""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(".")
