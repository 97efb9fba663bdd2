"""What can be seen of rows one by one, without decoding a picture."""

from ..readers import Problem, Reader, Row, find_picture
from ..readers.row import pictures_of, text_of

NO_PAIR = "it has no rejected answer: preference is learnt from two different answers"


class RowCheck:
    """The rows of one reader, for a model that can tell so many pictures apart."""

    def __init__(self, reader: Reader, max_pictures: int, pairs: bool | None = False):
        self.reader, self.max_pictures, self.pairs = reader, max_pictures, pairs  # None: see Limits
        self.has_pairs = False
        self._found: set[str] = set()  # pictures; many rows are about the same ones

    def check(self, row: Row | Problem) -> Row:
        """The row, if it can be trained on. Raises Problem."""
        if isinstance(row, Problem):
            raise row
        pictures = pictures_of(row.messages)
        if len(pictures) > self.max_pictures:
            raise Problem(
                "pictures", f"it has {len(pictures)} pictures, and the model can tell {self.max_pictures} apart"
            )
        if not all(text_of(message).strip() for message in row.messages if message["role"] == "assistant"):
            raise Problem("empty", "an answer is empty: there is nothing to learn")
        self.has_pairs |= row.rejected != ""
        if self.pairs and not row.rejected.strip():
            raise Problem("pair", NO_PAIR)
        if self.pairs is not False and row.rejected.strip() == text_of(row.messages[-1]).strip():
            raise Problem("pair", "chosen and rejected are the same: preference is learnt from two different answers")
        for path in {part["path"] for _, part in pictures if "path" in part} - self._found:
            find_picture(path, self.reader.folder)
            self._found.add(path)
        return row
