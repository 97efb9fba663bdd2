"""Which requests belong together: those about one picture, else those of one conversation.

Where several machines serve, they are sent to one of them, because its caches hold what was made of the picture and of
the words before (vlm/engine/caches.py).
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from .body import parse_object
from .errors import ApiError

OPENING_CHARS = 256  # of a text without turns, which goes on behind these


def affinity_key(body: bytes) -> str:
    """The same for requests that belong together; "" where the body cannot be read. Slow: use a thread."""
    try:
        asked = parse_object(body)
    except ApiError:
        return ""
    subject = next(_pictures(asked), None) or _opening(asked)
    return hashlib.sha256(subject.encode("utf-8")).hexdigest()


def _pictures(value: Any) -> Iterator[str]:
    """The URLs of pictures in the order of the conversation, in any of the API's ways to write them."""
    if isinstance(value, dict):
        for key in ("image_url", "image"):
            picture = value.get(key)
            url = picture.get("url") if isinstance(picture, dict) else picture
            if isinstance(url, str):
                yield url
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _pictures(item)


def _opening(asked: dict[str, Any]) -> str:
    """What a conversation begins with, up to the end of its first question."""
    said = asked.get("messages") or asked.get("input") or asked.get("prompt")
    if not isinstance(said, list):
        return json.dumps(said)[:OPENING_CHARS]
    questions = [i for i, turn in enumerate(said) if isinstance(turn, dict) and turn.get("role") == "user"]
    return json.dumps(said[: questions[0] + 1] if questions else said)
