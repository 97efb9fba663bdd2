"""An answer as OpenAI's `response` object, whole or as its typed events."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from .engine import Chunk, GenerationRequest
from .pictures import describe_pictures
from .responses import ResponsesRequest
from .streaming import Head, event

STATUS = {"stop": "completed", "length": "incomplete"}


@dataclass
class ResponsesReply:
    """One answer; it keeps what was said, because the last events of a stream say all of it again."""

    head: Head
    question: ResponsesRequest
    request: GenerationRequest  # what the model was asked, defaults and all
    _said: str = ""
    _numbers: "count[int]" = field(default_factory=count)

    def whole(self, answers: Sequence[Chunk]) -> dict[str, Any]:
        (last,) = answers
        self._said = last.text
        return self._response(STATUS[str(last.finish_reason)], last)

    def opening(self) -> bytes:
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        return (
            self._event("response.created", response=self._response("in_progress"))
            + self._event("response.in_progress", response=self._response("in_progress"))
            + self._event("response.output_item.added", output_index=0, item=self._item("in_progress", []))
            + self._event("response.content_part.added", **self._place(), part=part)
        )

    def piece(self, chunk: Chunk) -> bytes:
        if not chunk.text:
            return b""
        self._said += chunk.text
        return self._event("response.output_text.delta", **self._place(), delta=chunk.text, logprobs=[])

    def closing(self, lasts: Sequence[Chunk]) -> bytes:
        (last,) = lasts
        status = STATUS[str(last.finish_reason)]
        return (
            self._event("response.output_text.done", **self._place(), text=self._said, logprobs=[])
            + self._event("response.content_part.done", **self._place(), part=self._part())
            + self._event("response.output_item.done", output_index=0, item=self._item(status, [self._part()]))
            + self._event(f"response.{status}", response=self._response(status, last))
        )

    def failure(self, body: dict[str, Any]) -> bytes:
        error = {"code": "server_error", "message": body["error"]["message"]}
        return self._event("response.failed", response={**self._response("failed"), "error": error})

    def _event(self, kind: str, **fields: Any) -> bytes:
        return event({"type": kind, "sequence_number": next(self._numbers), **fields}, kind)

    def _place(self) -> dict[str, Any]:
        return {"item_id": self._item_id, "output_index": 0, "content_index": 0}

    @property
    def _item_id(self) -> str:
        return f"msg_{self.head.request_id}"

    def _part(self) -> dict[str, Any]:
        return {"type": "output_text", "text": self._said, "annotations": [], "logprobs": []}

    def _item(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": self._item_id, "type": "message", "role": "assistant", "status": status, "content": content}

    def _response(self, status: str, last: Chunk | None = None) -> dict[str, Any]:
        """The whole object; with `last`, the answer is over."""
        return {
            "id": f"resp_{self.head.request_id}",
            "object": "response",
            "created_at": self.head.created,
            "completed_at": int(time.time()) if status == "completed" else None,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "model": self.head.model,
            "output": [] if last is None else [self._item(status, [self._part()])],
            "usage": None if last is None else _usage(last),
            "instructions": self.question.instructions,
            "max_output_tokens": self.question.max_output_tokens,
            "temperature": self.request.temperature,
            "top_p": self.request.top_p,
            "user": self.question.user,
            "text": {"format": self.question.text_format.body()},
            # What cannot be changed here, as OpenAI's clients expect to see it:
            "background": False,
            "metadata": {},
            "parallel_tool_calls": False,
            "previous_response_id": None,
            "store": False,
            "tool_choice": "none",
            "tools": [],
            "truncation": "disabled",
            **(describe_pictures(self.request, last) if last is not None else {}),
        }


def _usage(last: Chunk) -> dict[str, Any]:
    return {
        "input_tokens": last.prompt_tokens,
        "input_tokens_details": {"cached_tokens": last.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": last.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": last.prompt_tokens + last.completion_tokens,
    }
