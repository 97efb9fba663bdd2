"""OpenAI's `chat.completion` and `chat.completion.chunk`, and the event stream that carries the second."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from .engine import Chunk, Generation
from .errors import ApiError

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Reply:
    """What every piece of one answer repeats."""

    request_id: str
    model: str
    include_usage: bool = False  # in the stream; a whole answer always has it
    created: int = field(default_factory=lambda: int(time.time()))

    def completion(self, text: str, last: Chunk) -> dict[str, Any]:
        """The body of an answer that is not streamed."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": last.finish_reason}
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage(last)}

    def delta(self, delta: dict[str, str], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._event({"choices": [choice], **({"usage": None} if self.include_usage else {})})

    def usage(self, last: Chunk) -> bytes:
        return self._event({"choices": [], "usage": usage(last)})

    def _event(self, body: dict[str, Any]) -> bytes:
        return event({**self._head("chat.completion.chunk"), **body})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{self.request_id}", "object": kind, "created": self.created, "model": self.model}


def usage(last: Chunk) -> dict[str, int]:
    return {
        "prompt_tokens": last.prompt_tokens,
        "completion_tokens": last.completion_tokens,
        "total_tokens": last.prompt_tokens + last.completion_tokens,
    }


def event(body: dict[str, Any]) -> bytes:
    """One server-sent event. ASCII only: some clients take U+2028 or U+0085 in the data for the end of a line."""
    return b"data: " + json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n\n"


async def events(first: Chunk, rest: Generation, reply: Reply) -> AsyncIterator[bytes]:
    """The answer as server-sent events. `first` is already there, so an error of the request came before this."""
    yield reply.delta({"role": "assistant", "content": ""})
    chunk = first
    try:
        while True:
            if chunk.text:
                yield reply.delta({"content": chunk.text})
            if chunk.finish_reason is not None:
                break
            chunk = await anext(rest)
    except StopAsyncIteration:  # cancelled: nobody reads this any more
        return
    except ApiError as error:
        yield event(error.body())
        return
    yield reply.delta({}, chunk.finish_reason)
    if reply.include_usage:
        yield reply.usage(chunk)
    yield DONE


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
