"""`regard`, the one key that this API adds to an answer: what was done with each picture.

    "regard": {"pictures": [{"original": {"width": 800, "height": 600}, "processed": {"width": 224, "height": 168},
                             "features": 49}]}

In the order of the conversation. `original` is the picture upright, as a person sees it; `processed` is what the vision
tower saw of it, so a place in one is a place in the other; `features` is what the language model could look at: 0 where
it was asked to answer blind. An answer to a conversation without pictures has no such key.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from PIL.Image import Image

EXTENSION = "regard"


@runtime_checkable
class KnowsItsView(Protocol):
    """A model that can tell what it makes of a picture, as `vlm.loading.Assistant` can."""

    def view(self, size: tuple[int, int]) -> tuple[tuple[int, int], int]:
        """Of a picture of that size (w, h): the size (w, h) that is looked at, and the number of features."""


def describe_pictures(assistant: object, pictures: Sequence[Image], *, blind: bool) -> dict[str, Any]:
    """What an answer about these pictures carries beside OpenAI's fields; nothing where there are none."""
    if not pictures:
        return {}
    return {EXTENSION: {"pictures": [_describe(assistant, picture.size, blind) for picture in pictures]}}


def _describe(assistant: object, size: tuple[int, int], blind: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"original": _size(size)}
    if isinstance(assistant, KnowsItsView):
        processed, features = assistant.view(size)
        entry |= {"processed": _size(processed), "features": 0 if blind else features}
    return entry


def _size(size: tuple[int, int]) -> dict[str, int]:
    return {"width": size[0], "height": size[1]}
