"""Evaluation on rows of one's own: the last answer of each conversation is asked for, with what was said before it."""

from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image
from tqdm import tqdm

from .readers import DataError, Messages, Problem, Reader, Row, open_picture
from .readers.row import parts_of, pictures_of, text_of


def asked_rows(
    reader: Reader, instruction: str, grey: Image.Image, limit: int | None
) -> Iterator[tuple[Row, Messages, Messages]]:
    """Every row with what is asked, and the same blind. Raises DataError for the first row that cannot be read."""

    def opened(part: dict[str, Any]) -> Image.Image:
        return open_picture(part, reader.folder)

    count = min(len(reader), limit or len(reader))
    if not count:
        raise DataError(f"{reader.path} is empty: there is nothing to ask")
    for index in tqdm(range(count), str(reader.path), unit="row", dynamic_ncols=True):
        row = reader.read(index)
        before = row.messages[:-1]
        if before and instruction:
            before = [
                *before[:-1],
                {**before[-1], "content": [*parts_of(before[-1]), {"type": "text", "text": instruction}]},
            ]
        try:
            yield row, _with_images(before, opened), _with_images(before, lambda part: grey)
        except Problem as problem:
            raise DataError(f"{reader.path}, {reader.unit} {row.number}: {problem}") from None


def _with_images(messages: Messages, picture: Callable[[dict[str, Any]], Image.Image]) -> Messages:
    def loaded(part: dict[str, Any]) -> dict[str, Any]:
        return part if part["type"] == "text" else {"type": "image", "image": picture(part)}

    return [{"role": m["role"], "content": [loaded(part) for part in parts_of(m)]} for m in messages]


def name_of_pictures(row: Row) -> str:
    """What a row's pictures are called in the predictions."""
    return ", ".join(part.get("path") or f"row {row.number}" for _, part in pictures_of(row.messages)) or "none"


def prompt_of(row: Row, instruction: str) -> str:
    """What was asked last."""
    asked = [text_of(message) for message in row.messages[:-1] if message["role"] == "user"]
    return f"{asked[-1] if asked else ''} {instruction}".strip()
