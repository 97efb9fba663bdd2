"""What perception says of a picture, as short text for the language model: data about the picture, not the truth.

    [seen: bar chart "Sales"; Mon 5, Tue 7; high to low: Tue, Mon]     one block after each picture, whatever is asked
    (Mon 5; Tue 7; Tue is higher than Mon by 2)                        before a question: facts about what it names

A language model of mini's size does not compare numbers, so what follows from the structure (order, sums, paths,
places) is derived by ordinary code and said. A block depends on its picture alone and can be cached with it.
"""

from .text import is_said, picture_hint, question_facts

__all__ = ["is_said", "picture_hint", "question_facts"]
