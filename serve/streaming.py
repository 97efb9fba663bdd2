"""Answers on the wire: OpenAI's `chat.completion` and its chunks, and the event stream that carries pieces."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from .engine import Chunk, Generation, GenerationRequest
from .errors import ApiError
from .gate import Record
from .logprobs import Spell, chat_logprobs
from .pictures import describe_pictures

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
    """How one wire format says the answers to a prompt: as one body, or as the bytes of an event stream."""

    def whole(self, answers: Sequence[Chunk]) -> dict[str, Any]:
        """`answers` are whole, each in one chunk: see `joined`."""

    def opening(self) -> bytes: ...
    def piece(self, chunk: Chunk) -> bytes:
        """Any chunk of any of the answers; one with a finish reason ends its answer."""

    def closing(self, lasts: Sequence[Chunk]) -> bytes:
        """What follows when all answers are over; `lasts` are their last chunks."""

    def failure(self, body: dict[str, Any]) -> bytes:
        """What ends a stream that has begun; `body` is that of an ApiError."""


@dataclass(frozen=True)
class ChatReply:
    """OpenAI's `chat.completion`, whole or in chunks, with our own key about the pictures (`pictures.py`)."""

    head: Head
    asked: GenerationRequest
    spell: Spell
    include_usage: bool = False  # in the stream; a whole answer always has it

    def whole(self, answers: Sequence[Chunk]) -> dict[str, Any]:
        choices = [
            {
                "index": answer.index,
                "message": {"role": "assistant", "content": answer.text, "refusal": None},
                "logprobs": self._logprobs(answer),
                "finish_reason": answer.finish_reason,
            }
            for answer in answers
        ]
        head = self.head.body("chatcmpl", "chat.completion")
        return {**head, "choices": choices, "usage": usage(answers), **describe_pictures(self.asked, answers[0])}

    def opening(self) -> bytes:
        return b"".join(self._delta(i, {"role": "assistant", "content": ""}) for i in range(self.asked.n))

    def piece(self, chunk: Chunk) -> bytes:
        said = b""
        if chunk.text or chunk.logprobs:
            said = self._delta(chunk.index, {"content": chunk.text}, self._logprobs(chunk))
        if chunk.finish_reason is not None:
            seen = describe_pictures(self.asked, chunk)
            said += self._delta(chunk.index, {}, finish_reason=chunk.finish_reason, **seen)
        return said

    def closing(self, lasts: Sequence[Chunk]) -> bytes:
        return (self._event({"choices": [], "usage": usage(lasts)}) if self.include_usage else b"") + DONE

    def failure(self, body: dict[str, Any]) -> bytes:
        return event(body)

    def _logprobs(self, chunk: Chunk) -> dict[str, Any] | None:
        return None if self.asked.top_logprobs is None else chat_logprobs(chunk.logprobs, self.spell)

    def _delta(
        self,
        index: int,
        delta: dict[str, str],
        logprobs: dict[str, Any] | None = None,
        finish_reason: str | None = None,
        **more: Any,
    ) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
        return self._event({"choices": [choice], **({"usage": None} if self.include_usage else {}), **more})

    def _event(self, body: dict[str, Any]) -> bytes:
        return event({**self.head.body("chatcmpl", "chat.completion.chunk"), **body})


def joined(chunks: Iterable[Chunk]) -> list[Chunk]:
    """The chunks of the answers to a prompt -> each answer in one chunk, in order."""
    answers: dict[int, list[Chunk]] = {}
    for chunk in chunks:
        answers.setdefault(chunk.index, []).append(chunk)
    return [
        replace(
            own[-1],
            text="".join(chunk.text for chunk in own),
            logprobs=tuple(found for chunk in own for found in chunk.logprobs),
        )
        for _, own in sorted(answers.items())
    ]


def usage(lasts: Sequence[Chunk]) -> dict[str, Any]:
    """Of all answers to a prompt, from the last chunk of each."""
    prompt, completion = lasts[0].prompt_tokens, sum(last.completion_tokens for last in lasts)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": lasts[0].cached_tokens, "image_tokens": lasts[0].image_tokens},
    }


def event(body: dict[str, Any], name: str | None = None) -> bytes:
    """One server-sent event. ASCII only: some clients take U+2028 or U+0085 in the data for the end of a line."""
    data = b"data: " + json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n\n"
    return data if name is None else f"event: {name}\n".encode("ascii") + data


async def events(first: Chunk, rest: Generation, reply: Reply, record: Record) -> AsyncIterator[bytes]:
    """The answers as server-sent events. `first` is already there, so an error of the request came before this."""
    if opening := reply.opening():
        yield opening
    chunk, lasts = first, []
    try:
        while True:
            if piece := reply.piece(chunk):
                yield piece
            if chunk.finish_reason is not None:
                lasts.append(chunk)
                if len(lasts) == len(rest.latest):
                    break
            chunk = await anext(rest)
    except StopAsyncIteration:  # cancelled: nobody reads this any more
        return
    except ApiError as error:
        record.error = error.code
        yield reply.failure(error.body())
        return
    yield reply.closing(lasts)


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
