"""Answers on the wire: OpenAI's `chat.completion` and its chunks, and the event stream that carries pieces."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from .engine import Chunk, Generation
from .errors import ApiError
from .gate import Record

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Head:
    """What every piece of one answer repeats."""

    request_id: str
    model: str
    created: int = field(default_factory=lambda: int(time.time()))

    def body(self, prefix: str, kind: str) -> dict[str, Any]:
        return {"id": f"{prefix}-{self.request_id}", "object": kind, "created": self.created, "model": self.model}


class Reply(Protocol):
    """How one wire format says an answer: as one body, or as the bytes of an event stream."""

    def whole(self, text: str, last: Chunk) -> dict[str, Any]: ...
    def opening(self) -> bytes: ...
    def piece(self, text: str) -> bytes: ...
    def closing(self, last: Chunk) -> bytes: ...
    def failure(self, body: dict[str, Any]) -> bytes:
        """What ends a stream that has begun; `body` is that of an ApiError."""


@dataclass(frozen=True)
class ChatReply:
    """OpenAI's `chat.completion`, whole or in chunks. `extension` says what was done with the pictures."""

    head: Head
    include_usage: bool = False  # in the stream; a whole answer always has it
    extension: dict[str, Any] = field(default_factory=dict)

    def whole(self, text: str, last: Chunk) -> dict[str, Any]:
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": last.finish_reason}
        head = self.head.body("chatcmpl", "chat.completion")
        return {**head, "choices": [choice], "usage": usage(last), **self.extension}

    def opening(self) -> bytes:
        return self._delta({"role": "assistant", "content": ""})

    def piece(self, text: str) -> bytes:
        return self._delta({"content": text})

    def closing(self, last: Chunk) -> bytes:
        end = self._delta({}, last.finish_reason, **self.extension)
        if self.include_usage:
            end += self._event({"choices": [], "usage": usage(last)})
        return end + DONE

    def failure(self, body: dict[str, Any]) -> bytes:
        return event(body)

    def _delta(self, delta: dict[str, str], finish_reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._event({"choices": [choice], **({"usage": None} if self.include_usage else {}), **more})

    def _event(self, body: dict[str, Any]) -> bytes:
        return event({**self.head.body("chatcmpl", "chat.completion.chunk"), **body})


def usage(last: Chunk) -> dict[str, int]:
    return {
        "prompt_tokens": last.prompt_tokens,
        "completion_tokens": last.completion_tokens,
        "total_tokens": last.prompt_tokens + last.completion_tokens,
    }


def event(body: dict[str, Any], name: str | None = None) -> bytes:
    """One server-sent event. ASCII only: some clients take U+2028 or U+0085 in the data for the end of a line."""
    data = b"data: " + json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n\n"
    return data if name is None else f"event: {name}\n".encode("ascii") + data


async def events(first: Chunk, rest: Generation, reply: Reply, record: Record) -> AsyncIterator[bytes]:
    """The answer as server-sent events. `first` is already there, so an error of the request came before this."""
    if opening := reply.opening():
        yield opening
    chunk = first
    try:
        while True:
            if chunk.text:
                yield reply.piece(chunk.text)
            if chunk.finish_reason is not None:
                break
            chunk = await anext(rest)
    except StopAsyncIteration:  # cancelled: nobody reads this any more
        return
    except ApiError as error:
        record.error = error.code
        yield reply.failure(error.body())
        return
    yield reply.closing(chunk)


@asynccontextmanager
async def cancelled_on_disconnect(receive: Receive, generation: Generation) -> AsyncIterator[None]:
    """While inside, a client that closes its connection cancels `generation`. The body must have been read."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        generation.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()


class EventStreamResponse(StreamingResponse):
    """A stream that frees the worker when it ends, however it ends."""

    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[bytes], generation: Generation):
        super().__init__(content, headers={"cache-control": "no-cache", "x-accel-buffering": "no"})
        self.generation = generation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with cancelled_on_disconnect(receive, self.generation):
                await self.stream_response(send)
        finally:
            self.generation.cancel()
