"""Labels of an axis that were read as two lines."""

from vlm.reading.charts import in_one_row, lines_joined
from vlm.reading.seen import SeenWord
from vlm.structure import Label


def word(text: str, left: float, top: float) -> SeenWord:
    return SeenWord(Label(text=text, box=(left, top, left + 30, top + 10)), "category", 0)


def test_a_word_below_another_belongs_to_it_and_neighbours_stay_apart():
    words = [word("Q3", 0, 0), word("2023", 1, 12), word("Q4", 40, 0), word("2023", 41, 12), word("Q1", 80, 0)]
    assert sorted(one.label.text for one in lines_joined(words)) == ["Q1", "Q3 2023", "Q4 2023"]
    far = [word("A", 0, 0), word("B", 0, 40)]
    assert lines_joined(far) == far


def test_a_title_below_one_of_the_labels_is_no_second_line_of_it():
    labels = [word(name, 100 * i, 10) for i, name in enumerate("abc")]
    title = word("Month", 100, 26)
    assert lines_joined([*labels, title]) == labels and in_one_row([*labels, title]) == labels


def test_of_two_labels_both_stay_wherever_they_stand():
    assert len(in_one_row([word("a", 0, 10), word("b", 100, 60)])) == 2
