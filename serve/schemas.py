"""A conversation on the wire, and the chat request around it: OpenAI's fields, checked one by one.

A field of OpenAI's that Regard does not implement is refused by name, because an answer that silently ignores it
would be wrong; its do-nothing values pass. A field that OpenAI does not have is ignored with a log line.
The extensions are `blind` and `hints`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from PIL import Image
from pydantic import Field, StrictBool, StringConstraints, model_validator

from .config import ServeConfig
from .engine import GenerationRequest
from .errors import BadRequest
from .wire import Tag, Unsupported, Wire, items, log_ignored, refuse_fields, refuse_kinds, validate

UNSUPPORTED_IN_REQUEST: Unsupported = {
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
UNSUPPORTED_IN_STREAM_OPTIONS: Unsupported = {"include_obfuscation": (False,)}
UNSUPPORTED_IN_MESSAGE: Unsupported = {
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

Hints = Literal["on", "off"]
StopString = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Detail = Literal["auto", "low", "high", "original"]  # only a hint, and the model has one resolution


class ImageUrl(Wire):
    url: str
    detail: Detail = "auto"


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


class Question(Wire, ABC):
    """What every route that asks the model has in common. None means that the server's default holds."""

    text_field: ClassVar[str]  # the field that holds what is asked

    model: Tag
    temperature: float | None = Field(None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(None, gt=0, le=1, allow_inf_nan=False)
    stream: bool | None = None
    user: Tag | None = None  # whose request it is: taken, and of no effect

    @abstractmethod
    def turns(self) -> list[tuple[str, list[Part]]]:
        """(role, content) of every message, the role one of `vlm.processing_vlm`."""

    def image_urls(self) -> list[tuple[str, str]]:
        """(field, url) of every picture, in the order of the conversation."""
        return []

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """Further fields of `GenerationRequest`; None where the request does not say."""

    def check_limits(self, config: ServeConfig) -> None:
        """Refuse what multiplies work, before any of the work is done."""
        turns = self.turns()
        parts = [part for _, content in turns for part in content]
        for found, most, what in (
            (len(turns), config.max_messages, "messages"),
            (len(parts), config.max_parts, "content parts"),
            (len(self.image_urls()), config.max_images, "pictures"),
            (sum(len(part.text or "") for part in parts), config.max_text_chars, "characters of text"),
        ):
            if found > most:
                raise BadRequest(
                    f"The conversation has {found} {what}; this server takes at most {most}. Send a shorter one.",
                    param=self.text_field,
                    code="conversation_too_large",
                )

    def to_generation(self, pictures: Sequence[Image.Image], config: ServeConfig) -> GenerationRequest:
        """The request to the model; `pictures` are those of `image_urls`."""
        rest = iter(pictures)
        messages: list[dict[str, Any]] = [
            {
                "role": role,
                "content": [
                    {"type": "image", "image": next(rest)}
                    if part.type == "image_url"
                    else {"type": "text", "text": part.text}
                    for part in content
                ],
            }
            for role, content in self.turns()
        ]
        said = {"temperature": self.temperature, "top_p": self.top_p, **self.options()}
        defaults = {"max_new_tokens": config.default_max_tokens, "temperature": config.default_temperature}
        options = {**defaults, **{name: value for name, value in said.items() if value is not None}}
        return GenerationRequest(messages=messages, **options)


class ChatRequest(Question):
    """The body of POST /v1/chat/completions."""

    text_field = "messages"

    messages: list[Message] = Field(min_length=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: list[StopString] | None = Field(None, max_length=4)
    stream_options: StreamOptions | None = None
    safety_identifier: Tag | None = None  # taken, as is the next one, and of no effect
    prompt_cache_key: Tag | None = None
    blind: StrictBool = False  # Regard's own: answer without looking, to see what the pictures decide
    hints: Hints = "on"  # Regard's own: whether the model is told what was read in the pictures

    @model_validator(mode="before")
    @classmethod
    def _bare_stop(cls, request: Any) -> Any:
        return with_stop_as_list(request)

    @model_validator(mode="after")
    def _fields_agree(self) -> "ChatRequest":
        check_stream_options(self.stream, self.stream_options)
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            raise ValueError("max_tokens and max_completion_tokens exclude each other")
        return self

    def turns(self) -> list[tuple[str, list[Part]]]:
        return [
            ("system" if message.role == "developer" else message.role, message.content) for message in self.messages
        ]

    def image_urls(self) -> list[tuple[str, str]]:
        return [
            (f"messages[{i}].content[{j}].image_url.url", part.image_url.url)
            for i, message in enumerate(self.messages)
            for j, part in enumerate(message.content)
            if part.image_url is not None and part.type == "image_url"
        ]

    def options(self) -> dict[str, Any]:
        return {
            "max_new_tokens": self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens,
            "seed": self.seed,
            "stop": None if self.stop is None else tuple(self.stop),
            "blind": self.blind,
            "hints": self.hints,
        }


def with_stop_as_list(request: Any) -> Any:
    """`stop` may be one string."""
    if isinstance(request, dict) and isinstance(stop := request.get("stop"), str):
        return {**request, "stop": [stop]}
    return request


def check_stream_options(stream: bool | None, stream_options: StreamOptions | None) -> None:
    if stream_options is not None and not stream:
        raise ValueError("stream_options is only allowed when stream is true")


def read_chat(values: dict[str, Any], config: ServeConfig) -> ChatRequest:
    """Check a parsed body; BadRequest names the field at fault and never quotes it."""
    refuse_fields(values, "", UNSUPPORTED_IN_REQUEST)
    refuse_fields(values.get("stream_options"), "stream_options.", UNSUPPORTED_IN_STREAM_OPTIONS)
    for i, message in enumerate(items(values.get("messages"))):
        refuse_fields(message, f"messages[{i}].", UNSUPPORTED_IN_MESSAGE)
        if isinstance(message, dict):
            refuse_kinds(message.get("role"), UNSUPPORTED_ROLES, f"messages[{i}].role")
            for j, part in enumerate(items(message.get("content"))):
                kind = part.get("type") if isinstance(part, dict) else None
                refuse_kinds(kind, UNSUPPORTED_PARTS, f"messages[{i}].content[{j}].type")
    request = validate(ChatRequest, values)
    request.check_limits(config)
    log_ignored(values, ChatRequest.model_fields.keys() | UNSUPPORTED_IN_REQUEST.keys())
    return request
