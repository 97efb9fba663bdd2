"""A folder of pictures with a file of captions: which file that is, and `name<TAB>caption` lines without a header."""

from pathlib import Path

from .forms import DESCRIBE, Form, check_messages
from .json_files import Spans, line_spans
from .row import DataError, Messages, Problem, Reader, Row

NAMES = ("captions", "metadata", "data", "labels")
SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".txt", ".parquet")


def find_captions(folder: Path) -> Path:
    """The file in a folder that says what its pictures show. Raises DataError."""
    found = [folder / f"{name}{suffix}" for name in NAMES for suffix in SUFFIXES]
    found = [path for path in found if path.is_file()]
    if not found:
        raise DataError(
            f"{folder} has no file that says what its pictures show: add captions.csv (file_name,caption),"
            " captions.txt (name, a tab, caption) or data.jsonl, or give the path of the file you have"
        )
    return found[0]


class CaptionRows(Reader):
    """Lines of a text file: a picture's name, a tab (or a comma), and what it shows."""

    unit = "line"

    def __init__(self, path: Path, folder: Path, form: Form):
        super().__init__(path, folder)
        self.question = form.question or DESCRIBE
        self._spans: Spans = line_spans(path)

    def __len__(self) -> int:
        return len(self._spans)

    def number(self, index: int) -> int:
        return self._spans.numbers[index]

    def row(self, index: int) -> Row:
        text = self._spans.text(index).strip("\r\n")
        name, separator, caption = text.partition("\t" if "\t" in text else ",")
        if not separator:
            raise Problem("form", "a line is a picture's name, a tab, and its caption: there is no tab")
        name = name.partition("#")[0].strip()  # Flickr8k numbers a picture's captions: 1000.jpg#0
        content = [{"type": "image", "path": name}, {"type": "text", "text": self.question}]
        messages: Messages = [{"role": "user", "content": content}, {"role": "assistant", "content": caption.strip()}]
        check_messages(messages)
        return Row(self.number(index), messages)
