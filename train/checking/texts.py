"""What the words of rows show: the same row twice, answers that contradict or give themselves away, imbalance."""

import re
from collections import Counter
from collections.abc import Iterator

from ..readers.row import Row, pictures_of, text_of
from ..scoring import normalise
from .blind import BlindBaseline
from .report import Finding

WORDS = re.compile(r"\w+")
SHORT = 3  # words: of longer answers, several may be right
TOO_FREQUENT = 0.5  # of all answers, one and the same
TOO_BLIND = 0.8  # of all answers, right without a look
ENOUGH = 20  # answers, before a share of them says something


class TextCheck:
    """Takes rows one by one; keeps hashes of them, not the rows."""

    def __init__(self) -> None:
        self.blind = BlindBaseline()
        self.answers: Counter[str] = Counter()
        self.histograms = {name: Counter[int]() for name in ("words in a question", "words in an answer")}
        self._seen: dict[int, int] = {}  # hash of a whole row -> its number
        self._answered: dict[int, tuple[int, int]] = {}  # hash of pictures and question -> hash of answer, number

    def add(self, row: Row) -> Iterator[Finding]:
        pictures = tuple(part.get("path") or (row.number, part["bytes"]) for _, part in pictures_of(row.messages))
        whole = hash((pictures, *((message["role"], text_of(message)) for message in row.messages)))
        first = self._seen.setdefault(whole, row.number)
        if first != row.number:
            yield Finding("duplicate", f"is the same as {first}", row.number)
        for question, answer in questions_of(row):
            yield from self._add_answer(row, pictures, question, answer, is_new=first == row.number)

    def _add_answer(self, row: Row, pictures: tuple, question: str, answer: str, is_new: bool) -> Iterator[Finding]:
        said = normalise(answer)
        self.blind.add(question, row.type, said)
        if len(said) <= 100:
            self.answers[said] += 1
        asked, words = WORDS.findall(question.lower()), WORDS.findall(said)
        self.histograms["words in a question"][len(asked)] += 1
        self.histograms["words in an answer"][len(words)] += 1
        if len(words) > SHORT or not words:
            return
        key = hash((pictures, question))
        other, number = self._answered.setdefault(key, (hash(said), row.number))
        if other != hash(said) and is_new and pictures:
            yield Finding(
                "contradiction", f"answers {answer!r} where {number} says otherwise: {question!r}", row.number
            )
        # A question that offers its answers ("red or blue?") gives nothing away.
        if said not in ("yes", "no") and "or" not in asked and f" {' '.join(words)} " in f" {' '.join(asked)} ":
            yield Finding("answer_in_question", f"{answer!r} is in {question!r}", row.number)

    def finish(self, shares: dict[str, float]) -> Iterator[Finding]:
        """What is to say about the whole."""
        total = sum(self.answers.values())
        for answer, count in self.answers.most_common(1):
            if total >= ENOUGH and count / total > TOO_FREQUENT:
                yield Finding("imbalance", f"{count / total:.0%} of {total} answers are {answer!r}")
        if total >= ENOUGH and shares and (best := max(shares.values())) > TOO_BLIND:
            yield Finding("blind", f"{best:.0%} of the answers can be told without a look at the picture")


def questions_of(row: Row) -> Iterator[tuple[str, str]]:
    """What was asked, and what the assistant said to it; one for every turn."""
    question = ""
    for message in row.messages:
        if message["role"] == "user":
            question = text_of(message).strip()
        elif message["role"] == "assistant":
            yield question, text_of(message).strip()
