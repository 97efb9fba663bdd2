"""A conversation on the wire, and the chat request around it: OpenAI's fields, checked one by one.

A field of OpenAI's that Regard does not implement is refused by name, because an answer that silently ignores it
would be wrong; its do-nothing values pass. A field that OpenAI does not have is ignored with a log line.
The extensions are `blind`, `hints`, `visual_guidance`, `top_k`, `min_p` and `repetition_penalty`.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from PIL import Image
from pydantic import Field, StrictBool, StringConstraints, field_validator, model_validator

from vlm.answers import MAX_ANSWERS
from vlm.grammar import ANY_OBJECT, check_schema
from vlm.sampling import MAX_BIASES, MAX_TOP_LOGPROBS, RequestError

from .config import ServeConfig
from .engine import GenerationRequest
from .errors import BadRequest
from .wire import Tag, Unsupported, Wire, items, log_ignored, refuse_fields, refuse_kinds, validate

UNSUPPORTED_IN_REQUEST: Unsupported = {
    "audio": (),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "metadata": ({},),
    "modalities": (["text"],),
    "moderation": (),
    "parallel_tool_calls": (True, False),
    "prediction": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "reasoning_effort": ("none",),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
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

Hints = Literal["auto", "on", "off"]
StopString = Annotated[str, StringConstraints(min_length=1, max_length=256)]
TOKEN = re.compile("[0-9]{1,9}")
NAME = "^[a-zA-Z0-9_-]{1,64}$"  # of a JSON schema
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


class JsonSchema(Wire):
    name: Annotated[str, StringConstraints(pattern=NAME)]
    description: str | None = None
    schema_: dict[str, Any] = Field({}, alias="schema")
    strict: bool | None = None  # it is always held to


class ResponseFormat(Wire):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _has_what_it_says(self) -> "ResponseFormat":
        if self.type == "json_schema" and self.json_schema is None:
            raise ValueError("A format of type json_schema needs the field json_schema")
        return self

    def schema_text(self) -> str | None:
        """What an answer must be, as `GenerationRequest` has it; None where it may be any text."""
        if self.type == "json_schema":
            assert self.json_schema is not None
            return as_checked_schema(self.json_schema.schema_, "response_format.json_schema.schema")
        return ANY_OBJECT if self.type == "json_object" else None


class StreamOptions(Wire):
    include_usage: bool = False


class Question(Wire, ABC):
    """What every route that asks the model has in common. None means that the server's default holds."""

    text_field: ClassVar[str]  # the field that holds what is asked

    model: Tag
    temperature: float | None = Field(None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(None, gt=0, le=1, allow_inf_nan=False)
    top_k: int | None = Field(None, ge=0)  # Regard's own, as are the next two
    min_p: float | None = Field(None, ge=0, le=1)
    repetition_penalty: float | None = Field(None, gt=0, le=10)
    stream: bool | None = None
    user: Tag | None = None  # whose request it is: taken, and of no effect

    @abstractmethod
    def turns(self) -> list[tuple[str, list[Part]]]:
        """(role, content) of every message, the role one of `vlm.processing_vlm`."""

    def image_urls(self) -> list[tuple[str, str]]:
        """(field, url) of every picture, in the order of the conversation."""
        return []

    def options(self) -> dict[str, Any]:
        """Fields of `GenerationRequest` besides the messages; None where the request does not say."""
        return {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "min_p": self.min_p,
            "repetition_penalty": self.repetition_penalty,
        }

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
        defaults = {"max_new_tokens": config.default_max_tokens, "temperature": config.default_temperature}
        options = {**defaults, **{name: value for name, value in self.options().items() if value is not None}}
        return GenerationRequest(messages=messages, **options)


class PicturesQuestion(Question):
    """What the routes for pictures have in common: Regard's own fields about looking."""

    blind: StrictBool = False  # answer without looking, to see what the pictures decide
    hints: Hints = "auto"  # whether the model is told what was read in the pictures
    visual_guidance: float | None = Field(None, ge=0, le=5)  # how much the pictures must speak for a token; 0 is off

    def options(self) -> dict[str, Any]:
        own = {"blind": self.blind, "hints": self.hints, "visual_guidance": self.visual_guidance}
        return {**super().options(), **own}


class AnswersQuestion(Question):
    """What chats and completions have in common: several answers to one prompt, and what steers and stops them."""

    n: int | None = Field(None, ge=1, le=MAX_ANSWERS)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: list[StopString] | None = Field(None, max_length=4)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: dict[int, float] | None = Field(None, max_length=MAX_BIASES)
    stream_options: StreamOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_stop(cls, request: Any) -> Any:
        if isinstance(request, dict) and isinstance(stop := request.get("stop"), str):
            return {**request, "stop": [stop]}
        return request

    @field_validator("logit_bias", mode="before")
    @classmethod
    def _bias_by_token(cls, biases: Any) -> Any:
        """JSON has no numbers as keys. Checked here in whole, because pydantic's messages name the key at fault."""
        if not isinstance(biases, dict):
            return biases
        is_valid = all(
            TOKEN.fullmatch(token) and type(bias) in (int, float) and -100 <= bias <= 100
            for token, bias in biases.items()
        )
        if not is_valid:
            raise ValueError('It has the form {"TOKEN_ID": BIAS, ...}, every BIAS a number from -100 to 100')
        return {int(token): bias for token, bias in biases.items()}

    @model_validator(mode="after")
    def _streams_what_it_says(self) -> Self:
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options is only allowed when stream is true")
        return self

    def options(self) -> dict[str, Any]:
        return {
            **super().options(),
            "n": self.n,
            "seed": self.seed,
            "stop": None if self.stop is None else tuple(self.stop),
            "frequency_penalty": self.frequency_penalty,
            "presence_penalty": self.presence_penalty,
            "logit_bias": self.logit_bias,
        }


class ChatRequest(AnswersQuestion, PicturesQuestion):
    """The body of POST /v1/chat/completions."""

    text_field = "messages"

    messages: list[Message] = Field(min_length=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=MAX_TOP_LOGPROBS)
    response_format: ResponseFormat | None = None
    safety_identifier: Tag | None = None  # taken, as is the next one, and of no effect
    prompt_cache_key: Tag | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            raise ValueError("max_tokens and max_completion_tokens exclude each other")
        if self.top_logprobs and not self.logprobs:
            raise ValueError("top_logprobs is only allowed when logprobs is true")
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
        longest = self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens
        likelihoods = (self.top_logprobs or 0) if self.logprobs else None
        schema = None if self.response_format is None else self.response_format.schema_text()
        return {**super().options(), "max_new_tokens": longest, "top_logprobs": likelihoods, "json_schema": schema}


def as_checked_schema(schema: dict[str, Any], param: str) -> str:
    """A JSON schema as text; BadRequest where no answer can be held to it."""
    text = json.dumps(schema)
    try:
        check_schema(text)
    except RequestError as error:
        raise BadRequest(f"{param}: {error}", param=param, code="invalid_json_schema") from None
    return text


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
