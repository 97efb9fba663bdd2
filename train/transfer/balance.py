"""Yes and no equally often, over the whole set and for every type of question."""

from collections import Counter
from random import Random

from train.data_engine.family import Question


class Balance:
    """Which answer is due: the rarer one so far."""

    def __init__(self) -> None:
        self.answered: Counter[tuple[str, bool]] = Counter()

    def due(self, type: str, rng: Random) -> bool:
        yes, no = self.answered[type, True], self.answered[type, False]
        return rng.random() < 0.5 if yes == no else yes < no

    def note(self, question: Question) -> Question:
        """The question itself, counted if yes or no is its answer."""
        if question.is_yes_no:
            self.answered[question.type, question.answer == "yes"] += 1
        return question
