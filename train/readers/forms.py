"""A row as its file has it -> the internal form. What form it is shows in its keys.

- `messages`: roles with content parts, or with text and an `images` column (OpenAI, TRL, ms-swift).
- `conversations`: `from` and `value`, with `image` or `images` (LLaVA, ShareGPT).
- anything else is a table: one column each for the picture, the question and the answer.

Each may also have a rejected answer: see pairs.py.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .pairs import split_pair
from .pictures import picture_part
from .row import Messages, Problem, Row, kind_of, parts_of, pictures_of

PLACEHOLDER = "<image>"
SPEAKERS = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
DESCRIBE = "Describe this picture."

# What the columns of a table are usually called; the first that is there is taken.
USUAL = {
    "image": ("image", "images", "image_path", "file_name", "filename", "picture", "path", "img", "file"),
    "question": ("question", "prompt", "instruction", "query", "problem"),
    "answer": (
        "answer",
        "answers",
        "response",
        "output",
        "caption",
        "captions",
        "text",
        "description",
        "label",
        "chosen",
    ),
    "type": ("question_type", "type", "category"),
}
CAPTIONS = ("caption", "captions", "text", "description")  # answers that need no question


@dataclass(frozen=True)
class Form:
    """How the rows of one file are read: names of columns that are not the usual, and the question of captions."""

    columns: Mapping[Any, str] = field(default_factory=dict)  # image, question, answer, type -> the file's name
    question: str | None = None  # asked of every picture, where the data have captions or labels alone

    def named(self, what: str, names: Any) -> str | None:
        """The column of `what` among `names`."""
        if what in self.columns:
            return self.columns[what]
        return next((name for name in USUAL[what] if name in names), None)

    def missing(self, names: Any) -> str | None:
        """Why a table with these columns cannot be read; None where it can."""
        absent = [f"{what} ({name})" for what, name in self.columns.items() if name not in names]
        absent += [what for what in ("answer",) if self.named(what, names) is None]
        asked = self.question is not None or self.named("answer", names) in CAPTIONS
        absent += ["question"] if self.named("question", names) is None and not asked else []
        if not absent:
            return None
        return (
            f"there is no column for {', '.join(absent)}; the columns are {', '.join(map(str, names)) or 'none'}."
            " Name yours, say `columns: {image: photo, question: asked, answer: said}`"
        )

    def row(self, record: Any, number: int) -> Row:
        """One record of a file as a row. Raises Problem."""
        if not isinstance(record, dict):
            raise Problem("form", f"a row is an object with keys, found {kind_of(record)}")
        record, rejected = split_pair(record)
        try:
            row = self._row(record, number)
        except RecursionError:
            raise Problem("form", "it nests too deep") from None
        check_text(rejected)
        return replace(row, rejected=rejected) if rejected else row

    def _row(self, record: dict[Any, Any], number: int) -> Row:
        if self.columns or not {"messages", "conversations"} & record.keys():
            return self._from_table(record, number)
        if "messages" in record:
            messages = _from_messages(record)
        else:
            messages = _from_conversations(record)
        kind, answers = record.get("type"), _texts(record.get("answers"))
        check_messages(messages)
        return Row(number, messages, kind if isinstance(kind, str) else "", answers)

    def _from_table(self, record: dict[Any, Any], number: int) -> Row:
        if problem := self.missing(record):
            raise Problem("form", f"it has neither `messages` nor `conversations`, and {problem}")
        columns = {what: self.named(what, record) for what in USUAL}
        question = record.get(columns["question"], self.question or DESCRIBE)
        answers = _texts(record.get(columns["answer"]))
        if not isinstance(question, str) or not answers:
            what, value = ("question", question) if answers else ("answer", record.get(columns["answer"]))
            raise Problem("form", f"the {what} must be text, found {kind_of(value)}")
        pictures = _pictures(record.get(columns["image"]))
        if not columns["question"] and not pictures:
            raise Problem("form", "it has neither `messages` nor `conversations`, and no question and no picture")
        # `<image>` says where the picture goes; with no mark at all it goes first.
        marked = question if PLACEHOLDER in question else PLACEHOLDER * len(pictures) + question
        learnt = Counter(answers).most_common(1)[0][0]
        messages = _placed([("user", marked), ("assistant", learnt)], pictures)
        kind = record.get(columns["type"])
        check_messages(messages)
        return Row(number, messages, str(kind) if kind is not None else "", answers if len(answers) > 1 else ())


def check_messages(messages: Messages) -> None:
    """Roles, the assistant at the end, and text that can be written down."""
    if not messages or messages[-1]["role"] != "assistant":
        raise Problem("form", "the last message must be the assistant's: it is what is learnt")
    for message in messages:
        for part in parts_of(message):
            if part["type"] == "text":
                check_text(part["text"])


def check_text(text: str) -> None:
    """It can be written down. Raises Problem."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Problem("encoding", "a text has half of a surrogate pair (such as \\ud83d alone)") from None


def _from_messages(record: dict[str, Any]) -> Messages:
    given = record["messages"]
    if not isinstance(given, list) or not all(isinstance(m, dict) and {"role", "content"} <= m.keys() for m in given):
        raise Problem("form", 'it is not of the form {"messages": [{"role": ..., "content": ...}, ...]}')
    for message in given:
        if message["role"] not in ("system", "user", "assistant"):
            raise Problem("form", f"role must be system, user or assistant, found {kind_of(message['role'])}")
    pictures = _pictures(record.get("images", record.get("image")))
    if all(isinstance(message["content"], str) for message in given):
        return _placed([(message["role"], message["content"]) for message in given], pictures)
    waiting = list(pictures)
    messages = [
        {"role": m["role"], "content": [_part(part, waiting) for part in _content(m["content"])]} for m in given
    ]
    if pictures and (found := len(pictures_of(messages))) != len(pictures):
        raise Problem("placeholders", f"the content has {found} picture(s), and the images column {len(pictures)}")
    return messages


def _content(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if isinstance(content, list):
        return content
    raise Problem("form", f"content is text or a list of parts, found {kind_of(content)}")


def _part(part: Any, waiting: list[dict[str, Any]]) -> dict[str, Any]:
    """One content part; one that only says "image" takes the next of the images column that are `waiting`."""
    if not isinstance(part, dict) or part.get("type") not in ("text", "image", "image_url"):
        found = part.get("type") if isinstance(part, dict) else part
        raise Problem("form", f"a content part is text or image, found {kind_of(found)}")
    if part["type"] == "text":
        if not isinstance(part.get("text"), str):
            raise Problem("form", f"the text of a content part must be text, found {kind_of(part.get('text'))}")
        return {"type": "text", "text": part["text"]}
    names = ("path", "image", "bytes", "url", "image_url")
    value = next((part[name] for name in names if part.get(name) is not None), None)
    if value is not None:
        return picture_part(value)
    if not waiting:
        raise Problem("placeholders", "a content part says image without a path, and no picture of `images` is left")
    return waiting.pop(0)


def _from_conversations(record: dict[str, Any]) -> Messages:
    turns = record["conversations"]
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise Problem("form", f"conversations is a list of turns, found {kind_of(turns)}")
    said = []
    for turn in turns:
        speaker, text = turn.get("from", turn.get("role")), turn.get("value", turn.get("content"))
        if not isinstance(speaker, str) or speaker not in SPEAKERS or not isinstance(text, str):
            raise Problem(
                "form",
                'a turn is {"from": "human" or "gpt", "value": text},'
                f" found from {kind_of(speaker)}, value {kind_of(text)}",
            )
        said.append((SPEAKERS[speaker], text))
    return _placed(said, _pictures(record.get("images", record.get("image"))))


def _placed(said: list[tuple[str, str]], pictures: list[dict[str, Any]]) -> Messages:
    """Roles and texts -> messages, each `<image>` replaced by the next picture."""
    marks = sum(text.count(PLACEHOLDER) for role, text in said if role != "assistant")
    if marks != len(pictures):
        raise Problem(
            "placeholders", f"the text has {marks} times {PLACEHOLDER}, and the row {len(pictures)} picture(s)"
        )
    waiting = iter(pictures)
    messages: Messages = []
    for role, text in said:
        if role == "assistant" or PLACEHOLDER not in text:
            messages.append({"role": role, "content": text})
            continue
        content: list[dict[str, Any]] = []
        for number, piece in enumerate(text.split(PLACEHOLDER)):
            content += [next(waiting)] if number else []
            content += [{"type": "text", "text": piece.strip()}] if piece.strip() else []
        messages.append({"role": role, "content": content})
    return messages


def _pictures(value: Any) -> list[dict[str, Any]]:
    if value is None or value == "":
        return []
    return [picture_part(one) for one in value] if isinstance(value, list) else [picture_part(value)]


def _texts(value: Any) -> tuple[str, ...]:
    """Texts of a cell: one, several, or VQAv2's [{"answer": ...}]; numbers are written out."""
    if isinstance(value, list):
        return tuple(text for one in value for text in _texts(one))
    if isinstance(value, dict):
        return _texts(value.get("answer"))
    return (str(value),) if isinstance(value, (str, int, float)) else ()
