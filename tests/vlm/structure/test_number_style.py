import pytest

from vlm.structure import NumberStyle
from vlm.structure.numbers import parse_number


@pytest.mark.parametrize(
    "texts",
    [
        ["$1,200", "$500"], ["50M", "60M"], ["1.5k", "2.0k"], ["12%", "9%"], ["13.9 kg", "5.1 kg"], ["0.5", "1.0"],
        ["1 200", "800"], ["-5", "5"], ["$12.34", "$0.50"],
    ],
)  # fmt: skip
def test_numbers_are_written_as_they_stood(texts):
    style = NumberStyle.of(texts)
    assert [style.write(parse_number(text)) for text in texts] == texts


def test_words_have_no_style():
    assert NumberStyle.of(["Mon", "Tue"]) == NumberStyle()
