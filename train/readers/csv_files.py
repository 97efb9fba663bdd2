"""CSV and TSV with a header: a column each for the picture's path, the question and the answer."""

import csv
import io
from pathlib import Path
from typing import Any

from .forms import Form
from .json_files import BOM, Spans, map_file
from .row import DataError, Problem, Reader, Row

DELIMITERS = ",;\t|"


class CsvRows(Reader):
    """Rows of a table; quoted cells may hold line breaks. A row's number is the line that it starts in."""

    unit = "line"

    def __init__(self, path: Path, folder: Path, form: Form):
        super().__init__(path, folder)
        self.form = form
        self._spans = Spans(path)
        data = map_file(path)
        header = bytes(data[: max(data.find(b"\n"), 0) or len(data)]).decode("utf-8", "replace")
        if not header.strip():
            raise DataError(f"{path} is empty: a table starts with a line that names its columns")
        self._delimiter = max(DELIMITERS, key=header.count)
        self._index(data)
        try:
            self.columns = self._cells(self._spans.text(0))
        except Problem as problem:
            raise DataError(f"{path}, line 1: {problem}") from None
        if missing := form.missing(self.columns):
            raise DataError(f"{path}: {missing}")

    def _index(self, data: Any) -> None:
        """Where the records are, as the csv module sees them; a line that it cannot read is one of its own."""
        position, number = (len(BOM) if data[:3] == BOM else 0), 1
        while position < len(data):
            lines = _Lines(data, position)
            try:
                for cells in csv.reader(lines, delimiter=self._delimiter, strict=True):
                    if cells:
                        self._spans.add(position, lines.position, number)
                    position, number = lines.position, number + lines.take_count()
            except csv.Error:
                end = _end_of_line(data, position)
                self._spans.add(position, end, number)
                position, number = end, number + 1

    def _cells(self, text: str) -> list[str]:
        try:
            return next(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            raise Problem("form", f"it is not a row of a table: {error} (is a quote never closed?)") from None

    def __len__(self) -> int:
        return len(self._spans) - 1

    def number(self, index: int) -> int:
        return self._spans.numbers[index + 1]

    def row(self, index: int) -> Row:
        cells = self._cells(self._spans.text(index + 1))
        if len(cells) != len(self.columns):
            raise Problem("form", f"it has {len(cells)} cells, and the header names {len(self.columns)} columns")
        return self.form.row(dict(zip(self.columns, cells, strict=True)), self.number(index))


class _Lines:
    """The lines of a file from a position on, and how far they have been taken."""

    def __init__(self, data: Any, position: int):
        self._data, self.position, self._count = data, position, 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.position >= len(self._data):
            raise StopIteration
        start, self.position = self.position, _end_of_line(self._data, self.position)
        self._count += 1
        return self._data[start : self.position].decode("latin-1")  # of any encoding: only commas and quotes are seen

    def take_count(self) -> int:
        """How many lines were taken since the last call."""
        count, self._count = self._count, 0
        return count


def _end_of_line(data: Any, position: int) -> int:
    end = data.find(b"\n", position)
    return len(data) if end < 0 else end + 1
