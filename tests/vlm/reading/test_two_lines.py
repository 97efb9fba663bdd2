"""Labels of an axis that were read as two lines."""

from vlm.reading.charts import lines_joined
from vlm.reading.seen import SeenWord
from vlm.structure import Label


def word(text: str, left: float, top: float) -> SeenWord:
    return SeenWord(Label(text=text, box=(left, top, left + 30, top + 10)), "category", 0)


def test_a_word_below_another_belongs_to_it_and_neighbours_stay_apart():
    words = [word("Q3", 0, 0), word("2023", 1, 12), word("Q4", 40, 0), word("2023", 41, 12), word("Q1", 80, 0)]
    assert sorted(one.label.text for one in lines_joined(words)) == ["Q1", "Q3 2023", "Q4 2023"]
    far = [word("A", 0, 0), word("B", 0, 40)]
    assert lines_joined(far) == far
