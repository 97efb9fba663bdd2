"""From the bytes of a request to its answer on the way: the same for every wire format that asks the model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from PIL.Image import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .body import ClientGone, parse_object, read_body
from .completions import CompletionReply, CompletionRequest
from .config import ServeConfig
from .engine import Generation, GenerationRequest
from .errors import NotFound
from .gate import Record
from .images import decode_images
from .logprobs import Spell
from .metrics import Metrics
from .remote import RemoteImages
from .response_events import ResponsesReply
from .responses import ResponsesRequest
from .schemas import ChatRequest, Question
from .service import Service
from .streaming import ChatReply, EventStreamResponse, Head, Reply, cancelled_on_disconnect, events, joined

PARALLEL_DECODES = 2  # pictures are decoded in threads; each holds a whole picture in memory

T = TypeVar("T")
Read = Callable[[dict[str, Any], ServeConfig], Question]


class Desk:
    """Takes requests for the model, and for what reads pictures as data."""

    def __init__(self, service: Service, config: ServeConfig, metrics: Metrics, remote: RemoteImages):
        self.service = service
        self.config = config
        self.metrics = metrics
        self._remote = remote
        self._threads = anyio.CapacityLimiter(PARALLEL_DECODES)

    async def answer(self, request: Request, read: Read) -> Response:
        """The answer to a request that `read` understands."""
        record: Record = request.scope["record"]
        engine = self.service.engine
        generation = record.generation = engine.admit()
        try:
            question: Question = await self.take(request, partial(self._read, read))
            pictures = await self._load(question.image_urls())
            asked = question.to_generation(pictures, self.config)
            if question.model != engine.assistant.name:
                asked = replace(asked, adapter=question.model)
            reply = make_reply(question, asked, Head(record.id, question.model), engine.assistant.spell)
            generation.start(asked)
            return await _respond(request, generation, bool(question.stream), reply)
        except BaseException:
            generation.cancel()
            raise

    async def take(self, request: Request, use: Callable[[bytes], T]) -> T:
        """What `use` makes of the body, in a thread."""
        body = await read_body(request, max_bytes=self.config.max_body_bytes, timeout=self.config.body_timeout)
        return await anyio.to_thread.run_sync(use, body, limiter=self._threads)

    def _read(self, read: Read, body: bytes) -> Question:
        question = read(parse_object(body), self.config)
        check_model(question.model, self.service.engine.models)
        return question

    async def _load(self, urls: Sequence[tuple[str, str]]) -> list[Image]:
        if not urls:
            return []
        fetched: dict[str, bytes] = {}
        if self._remote.domains:
            with self.metrics.picture_stage("fetch"):
                fetched = await self._remote.fetch(urls)
        with self.metrics.picture_stage("decode"):
            decode = partial(decode_images, urls, self.config, fetched)
            return await anyio.to_thread.run_sync(decode, limiter=self._threads)


def make_reply(question: Question, asked: GenerationRequest, head: Head, spell: Spell) -> Reply:
    """The wire format of the answer is that of the question."""
    if isinstance(question, ResponsesRequest):
        return ResponsesReply(head, question, asked)
    assert isinstance(question, ChatRequest | CompletionRequest)
    include_usage = question.stream_options is not None and question.stream_options.include_usage
    kind = CompletionReply if isinstance(question, CompletionRequest) else ChatReply
    return kind(head, asked, spell, include_usage)


def check_model(found: str, names: Sequence[str]) -> None:
    """NotFound where a request names a model that is not here."""
    if found not in names:
        raise NotFound(
            f"There is no such model here. This server has: {', '.join(names)}.", param="model", code="model_not_found"
        )


async def _respond(request: Request, generation: Generation, stream: bool, reply: Reply) -> Response:
    record: Record = request.scope["record"]
    async with cancelled_on_disconnect(request.receive, generation):
        # The status is decided by the first chunk: what the model refuses is a 400, streamed or not.
        first = await anext(generation, None)
        if first is not None and stream:
            return EventStreamResponse(events(first, generation, reply, record), generation)
        chunks = [] if first is None else [first, *[chunk async for chunk in generation]]
    if sum(chunk.finish_reason is not None for chunk in chunks) < len(generation.latest):
        raise ClientGone
    return JSONResponse(reply.whole(joined(chunks)))
