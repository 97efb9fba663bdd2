"""How much of a data set can be answered without its pictures: by the answer that is most frequent elsewhere."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator
from random import Random

FOLDS = 5

Key = tuple[str, Hashable]


class BlindBaseline:
    """Counts of answers by question, by kind of question and overall; memory grows with what is different."""

    def __init__(self) -> None:
        self._counts: dict[Key, Counter[int]] = defaultdict(Counter)
        self._in_fold: dict[tuple[Key, int], Counter[int]] = defaultdict(Counter)
        self._questions, self._types, self._answers, self._folds = array("q"), array("q"), array("q"), array("b")
        self._random = Random(0)
        self._best: dict[tuple[Key, int], int | None] = {}

    def add(self, question: str, kind: str, answer: str) -> None:
        fold = self._random.randrange(FOLDS)
        self._questions.append(hash(question))
        self._types.append(hash(kind or kind_of_question(question)))
        self._answers.append(hash(answer))
        self._folds.append(fold)
        for key in _keys(self._questions[-1], self._types[-1]):
            self._counts[key][self._answers[-1]] += 1
            self._in_fold[key, fold][self._answers[-1]] += 1

    def _rows(self) -> Iterator[tuple[int, int, int, int]]:
        return zip(self._questions, self._types, self._answers, self._folds, strict=True)

    def shares(self) -> dict[str, float]:
        """Of its own rows, each fifth answered from the other four."""
        return _shares([(self._predictions(q, t, fold), answer) for q, t, answer, fold in self._rows()])

    def shares_of(self, other: "BlindBaseline") -> dict[str, float]:
        """Of the rows of another set, answered from all of these."""
        return _shares([(self._predictions(q, t, FOLDS), answer) for q, t, answer, _ in other._rows()])

    def _predictions(self, question: int, kind: int, fold: int) -> list[int | None]:
        """Answers by the whole, by the kind and by the question; where a question is new, its kind answers."""
        found: list[int | None] = []
        for key in _keys(question, kind):
            best = self._most_frequent(key, fold)
            found.append(best if best is not None or not found else found[-1])
        return found

    def _most_frequent(self, key: Key, fold: int) -> int | None:
        if (key, fold) not in self._best:
            left_out = self._in_fold.get((key, fold), Counter())
            counts = {a: count - left_out[a] for a, count in self._counts.get(key, Counter()).items()}
            best = max(counts, key=counts.__getitem__, default=None)
            self._best[key, fold] = best if best is not None and counts[best] > 0 else None
        return self._best[key, fold]


def _keys(question: int, kind: int) -> tuple[Key, Key, Key]:
    return ("all", 0), ("kind", kind), ("question", question)


def _shares(rows: list[tuple[list[int | None], int]]) -> dict[str, float]:
    names = ("whole", "kind of question", "question")
    if not rows:
        return {}
    return {name: sum(found[i] == answer for found, answer in rows) / len(rows) for i, name in enumerate(names)}


def kind_of_question(question: str) -> str:
    """The first two words, as VQAv2's question types are made."""
    return " ".join(question.lower().split()[:2])
