"""POST /v1/responses: OpenAI's other way to ask, here without state: nothing is stored, nothing earlier referred to."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from vlm.grammar import ANY_OBJECT

from .config import ServeConfig
from .schemas import (
    NAME,
    UNSUPPORTED_IN_STREAM_OPTIONS,
    Detail,
    ImageUrl,
    Part,
    PicturesQuestion,
    as_checked_schema,
)
from .wire import Tag, Unsupported, Wire, items, log_ignored, not_supported, refuse_fields, refuse_kinds, validate

UNSUPPORTED: Unsupported = {
    "access_programs": (),
    "background": (False,),
    "background_options": (),
    "context_management": ([],),
    "conversation": (),
    "image": (),
    "include": ([],),
    "max_tool_calls": (),
    "metadata": ({},),
    "moderation": (),
    "parallel_tool_calls": (True, False),
    "previous_response_id": (),
    "prompt": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "reasoning": ({}, {"effort": "none"}),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
    "truncation": ("disabled",),
}
UNSUPPORTED_PARTS = ("input_file", "input_audio", "refusal")
UNSUPPORTED_IN_TEXT: Unsupported = {"verbosity": ("medium",)}
UNSUPPORTED_IN_PART: Unsupported = {"annotations": ([],), "file_id": (), "logprobs": ([],)}


class InputPart(Wire):
    """A piece of an input item: a text that somebody or the model wrote, or a picture."""

    type: Literal["input_text", "output_text", "input_image"]
    text: str | None = None
    image_url: str | None = None
    detail: Detail = "auto"

    @model_validator(mode="after")
    def _has_what_it_says(self) -> "InputPart":
        name = "image_url" if self.type == "input_image" else "text"
        if getattr(self, name) is None:
            raise ValueError(f"A part of type {self.type} needs the field {name}")
        return self

    def to_part(self) -> Part:
        if self.image_url is not None and self.type == "input_image":
            return Part(type="image_url", image_url=ImageUrl(url=self.image_url, detail=self.detail))
        return Part(type="text", text=self.text)


class InputMessage(Wire):
    role: Literal["system", "developer", "user", "assistant"]
    content: list[InputPart]

    @model_validator(mode="before")
    @classmethod
    def _bare_text(cls, message: Any) -> Any:
        if isinstance(message, dict) and isinstance(text := message.get("content"), str):
            return {**message, "content": [{"type": "input_text", "text": text}]}
        return message

    @model_validator(mode="after")
    def _only_users_show_pictures(self) -> "InputMessage":
        if self.role != "user" and any(part.type == "input_image" for part in self.content):
            raise ValueError(f"Only a user message can hold pictures, this one is of role {self.role}")
        return self


class TextFormat(Wire):
    """What the answer must be: as `ResponseFormat` of chats, but flat."""

    type: Literal["text", "json_object", "json_schema"]
    name: Annotated[str, StringConstraints(pattern=NAME)] | None = None
    description: str | None = None
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None  # it is always held to

    @model_validator(mode="after")
    def _has_what_it_says(self) -> "TextFormat":
        if self.type == "json_schema" and (self.name is None or self.schema_ is None):
            raise ValueError("A format of type json_schema needs the fields name and schema")
        return self

    def schema_text(self) -> str | None:
        """What an answer must be, as `GenerationRequest` has it; None where it may be any text."""
        if self.type == "json_schema":
            assert self.schema_ is not None
            return as_checked_schema(self.schema_, "text.format.schema")
        return ANY_OBJECT if self.type == "json_object" else None

    def body(self) -> dict[str, Any]:
        """As it is said again in the answer."""
        return self.model_dump(by_alias=True, exclude_none=True)


class TextOptions(Wire):
    format: TextFormat | None = None


class ResponsesRequest(PicturesQuestion):
    """The body of POST /v1/responses."""

    text_field = "input"

    input: list[InputMessage] = Field(min_length=1)
    instructions: str | None = None
    max_output_tokens: int | None = Field(None, ge=1)
    text: TextOptions | None = None
    safety_identifier: Tag | None = None  # taken, as is the next one, and of no effect
    prompt_cache_key: Tag | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_text(cls, request: Any) -> Any:
        if isinstance(request, dict) and isinstance(text := request.get("input"), str):
            return {**request, "input": [{"role": "user", "content": text}]}
        return request

    def turns(self) -> list[tuple[str, list[Part]]]:
        first = [] if self.instructions is None else [("system", [Part(type="text", text=self.instructions)])]
        return first + [
            ("system" if message.role == "developer" else message.role, [part.to_part() for part in message.content])
            for message in self.input
        ]

    def image_urls(self) -> list[tuple[str, str]]:
        return [
            (f"input[{i}].content[{j}].image_url", part.image_url)
            for i, message in enumerate(self.input)
            for j, part in enumerate(message.content)
            if part.image_url is not None and part.type == "input_image"
        ]

    @property
    def text_format(self) -> TextFormat:
        asked = None if self.text is None else self.text.format
        return TextFormat(type="text", schema=None) if asked is None else asked

    def options(self) -> dict[str, Any]:
        schema = self.text_format.schema_text()
        return {**super().options(), "max_new_tokens": self.max_output_tokens, "json_schema": schema}


def read_responses(values: dict[str, Any], config: ServeConfig) -> ResponsesRequest:
    """Check a parsed body; BadRequest names the field at fault and never quotes it."""
    refuse_fields(values, "", UNSUPPORTED)
    refuse_fields(values.get("stream_options"), "stream_options.", UNSUPPORTED_IN_STREAM_OPTIONS)
    refuse_fields(values.get("text"), "text.", UNSUPPORTED_IN_TEXT)
    for i, item in enumerate(items(values.get("input"))):
        if not isinstance(item, dict):
            continue
        if item.get("type", "message") != "message":
            raise not_supported(
                f"input[{i}].type",
                f"input[{i}].type must be 'message': this server has no tools and keeps no earlier items to refer to.",
            )
        for j, part in enumerate(items(item.get("content"))):
            refuse_fields(part, f"input[{i}].content[{j}].", UNSUPPORTED_IN_PART)
            kind = part.get("type") if isinstance(part, dict) else None
            refuse_kinds(kind, UNSUPPORTED_PARTS, f"input[{i}].content[{j}].type")
    request = validate(ResponsesRequest, values)
    request.check_limits(config)
    log_ignored(values, ResponsesRequest.model_fields.keys() | UNSUPPORTED.keys() | {"stream_options"})
    return request
