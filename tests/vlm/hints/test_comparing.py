"""A comparison is said as it is asked for."""

import pytest

from vlm.hints.comparing import compare, place, wants


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Which is higher, A or B?", "A is higher than B"),
        ("Which is smaller, A or B?", "B is smaller than A"),
        ("Of B and A, which has fewer?", "B is fewer than A"),
        ("Is A lower than B?", "A is higher than B"),
        ("Is A larger than B?", "A is larger than B"),
        ("What is the difference between A and B?", "A is higher than B"),
    ],
)
def test_sizes_are_compared_in_the_words_of_the_question(question, said):
    assert compare(question, "A", "B", first_is_more=True) == said
    assert said in (compare(question, "B", "A", first_is_more=False), said if question.startswith("Is") else None)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Is A to the left of B?", "A is right of B"),
        ("Which is further left, A or B?", "B is left of A"),
        ("Which of A and B is higher up?", "A is above B"),
        ("Which of A and B is lower down?", "B is below A"),
        ("How do A and B lie?", "A is right of, above B"),
    ],
)
def test_places_are_told_along_the_way_that_is_asked_for(question, said):
    assert place(question, "A", "B", first_is_left=False, first_is_above=True) == said


def test_only_the_end_that_is_asked_for_is_named():
    assert wants("Which is the smallest?") == ("lowest",)
    assert wants("which has the most?") == ("highest",)
    assert wants("Name the highest and the lowest.") == wants("What is shown?") == ("highest", "lowest")
