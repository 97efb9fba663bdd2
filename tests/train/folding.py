"""Questions whose answers are lower case, to compare words with; test_data_engine.py tells how they are written."""

from dataclasses import replace

from train.data_engine import Question


def folded(question: Question) -> Question:
    return replace(question, answer=question.answer.lower())
