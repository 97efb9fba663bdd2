"""`regard`, the one key that this API adds to an answer: what was done with each picture.

    "regard": {"pictures": [{
        "original": {"width": 800, "height": 600}, "processed": {"width": 224, "height": 168}, "features": 49,
        "encode_ms": 21.5, "is_cached": false, "hints": {"used": ["structure"], "ms": 640.2}}]}

In the order of the conversation. `original` is the picture upright, as a person sees it; `processed` is what the vision
tower saw of it, so a place in one is a place in the other; `features` is what the language model could look at: 0 where
it was asked to answer blind. Encoding takes no time where the picture was in the cache, finding hints none where they
were known. `used` are the kinds of what was said of the picture to the language model: "structure" (a chart, a table
and so on), "objects" (names), "text" (words), or nothing. A model of transformers' own that cuts pictures into tiles
tells the first key only; what encoding several took is shared out among them. An answer to a conversation without
pictures has no key `regard`.
"""

from typing import Any

from .engine import Chunk, GenerationRequest, PictureReport

EXTENSION = "regard"


def describe_pictures(asked: GenerationRequest, answer: Chunk) -> dict[str, Any]:
    """What an answer to `asked` carries beside OpenAI's fields; nothing where there are no pictures."""
    sizes = [part["image"].size for message in asked.messages for part in message["content"] if part["type"] == "image"]
    if not sizes:
        return {}
    if asked.blind:
        return {EXTENSION: {"pictures": [{"original": _size(size), "features": 0} for size in sizes]}}
    reports = answer.pictures or [None] * len(sizes)
    return {EXTENSION: {"pictures": [_describe(size, report) for size, report in zip(sizes, reports, strict=True)]}}


def _describe(size: tuple[int, int], report: PictureReport | None) -> dict[str, Any]:
    if report is None:
        return {"original": _size(size)}
    return {
        "original": _size(size),
        "processed": _size(report.processed_size),
        "features": report.features,
        "encode_ms": round(report.encode_ms, 3),
        "is_cached": report.is_cached,
        "hints": {"used": list(report.hints), "ms": {kind: round(ms, 3) for kind, ms in report.hints_ms.items()}},
    }


def _size(size: tuple[int, int]) -> dict[str, int]:
    return {"width": size[0], "height": size[1]}
