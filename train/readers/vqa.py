"""VQAv2: a file of questions, and beside it one of annotations, joined by their `question_id` (visualqa.org)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .forms import Form, check_messages
from .json_files import Spans, array_spans, map_file, parse, records
from .row import DataError, Messages, Problem, Reader, Row, kind_of

# Names of a picture, tried in turn: COCO's own, and what people make of it.
NAMES = (
    "COCO_{subtype}_{id:012d}.jpg",
    "{subtype}/COCO_{subtype}_{id:012d}.jpg",
    "{id:012d}.jpg",
    "{id}.jpg",
    "{id}.png",
)


class VqaRows(Reader):
    """One row a question, with the answer that most people gave; all ten count as right in evaluation."""

    unit = "question"

    def __init__(self, path: Path, folder: Path, form: Form, annotations: Path | None = None):
        super().__init__(path, folder)
        self._questions = array_spans(path, "questions")
        self.annotations = annotations or find_annotations(path)
        self._annotations = array_spans(self.annotations, "annotations")
        ids = np.fromiter(_ids(self._annotations), dtype=np.int64, count=len(self._annotations))
        self._order = np.argsort(ids, kind="stable")
        self._ids = ids[self._order]
        self._subtype = _subtype(self._questions)
        self._name = NAMES[0]  # that fitted last

    def __len__(self) -> int:
        return len(self._questions)

    def row(self, index: int) -> Row:
        question = parse(self._questions.text(index))
        if not isinstance(question, dict) or not isinstance(question.get("question"), str):
            raise Problem("form", 'it is not of the form {"question_id": ..., "image_id": ..., "question": text}')
        number, picture = question.get("question_id"), question.get("image_id")
        if type(number) is not int or type(picture) is not int or abs(number) >= 2**63 or not 0 <= picture < 2**63:
            raise Problem("form", f"question_id and image_id are numbers, found {kind_of(number)}, {kind_of(picture)}")
        annotation = self._annotation(number)
        said = annotation.get("answers")
        if not isinstance(said, list | None):
            raise Problem("form", f"the answers of question {number} are a list, found {kind_of(said)}")
        answers = tuple(
            one["answer"] for one in said or [] if isinstance(one, dict) and isinstance(one.get("answer"), str)
        )
        learnt = annotation.get("multiple_choice_answer")
        if not isinstance(learnt, str):
            raise Problem("form", f"the multiple_choice_answer of question {number} is text, found {kind_of(learnt)}")
        content = [{"type": "image", "path": self._picture(picture)}, {"type": "text", "text": question["question"]}]
        messages: Messages = [{"role": "user", "content": content}, {"role": "assistant", "content": learnt}]
        check_messages(messages)
        kind = annotation.get("question_type")
        return Row(index + 1, messages, kind if isinstance(kind, str) else "", answers)

    def _annotation(self, number: int) -> dict[str, Any]:
        place = int(np.searchsorted(self._ids, number))
        if place == len(self._ids) or self._ids[place] != number:
            raise Problem("form", f"{self.annotations} has no annotation for question_id {number}")
        return parse(self._annotations.text(int(self._order[place])))

    def _picture(self, number: int) -> str:
        for name in (self._name, *NAMES):
            path = name.format(subtype=self._subtype, id=number)
            if (self.folder / path).is_file():
                self._name = name
                return path
        return NAMES[0].format(subtype=self._subtype, id=number)


def find_annotations(path: Path) -> Path:
    """`v2_mscoco_train2014_annotations.json` beside `v2_OpenEnded_mscoco_train2014_questions.json`."""
    subset = path.stem.removesuffix("_questions").rpartition("_")[2]
    found = sorted(other for other in path.parent.glob("*annotations*.json") if subset in other.name)
    if len(found) != 1:
        raise DataError(f"{path} holds questions; name the file of their answers with `annotations`")
    return found[0]


def _ids(annotations: Spans) -> Iterator[int]:
    for index, record in enumerate(records(annotations)):
        number = record.get("question_id")
        if type(number) is not int or abs(number) >= 2**63:
            where = f"{annotations.path}, row {annotations.numbers[index]}"
            raise DataError(f"{where}: question_id is a number, found {kind_of(number)}")
        yield number


def _subtype(questions: Spans) -> str:
    """`data_subtype`, say train2014; it stands before the questions or behind them."""
    data = map_file(questions.path)
    for part in (bytes(data[:4096]), bytes(data[-4096:])):
        _, found, rest = part.partition(b'"data_subtype"')
        if found and len(pieces := rest.split(b'"', 2)) == 3:
            subtype = pieces[1].decode("utf-8", "replace")
            return subtype if subtype.isalnum() else ""
    return ""
