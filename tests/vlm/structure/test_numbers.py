import pytest

from vlm.structure.numbers import parse_number, write_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,200", 1200), ("1 200", 1200), ("1'200", 1200), ("1.200.000", 1_200_000), ("1,234.5", 1234.5),
        ("1.234,5", 1234.5), ("3,5", 3.5), ("0,125", 0.125), ("1.200", 1.2), ("2020", 2020), (" .5 ", 0.5),
        ("-4", -4), ("\N{MINUS SIGN}4", -4), ("+4", 4), ("(3)", -3), ("(1,200)", -1200), ("-$3", -3), ("$-3", -3),
        ("12%", 12), ("3 %", 3), ("50 kg", 50), ("10°", 10), ("5 €", 5), ("€ 5", 5), ("12 m", 12), ("20 km/h", 20),
        ("$3.5k", 3500), ("2.5M", 2.5e6), ("5m", 5e6), ("£1.2bn", 1.2e9), ("5 million", 5e6), ("2 thousand", 2000),
        ("1.2e6", 1.2e6), ("1e+02", 100), ("5e-1", 0.5), ("12\N{NO-BREAK SPACE}000", 12000),
    ],
)  # fmt: skip
def test_a_number_is_what_people_mean_by_it(text, value):
    assert parse_number(text) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "abc", "Q1", "x5", "3-4", "2019-03", "1/2", "10:30", "1.2.3", "1,20,000", "1 2", "(3", "3)", "1e400",
        "5 of 6", "-", "%", ".", "1" * 400, "1e" + "9" * 5000,
    ],
)  # fmt: skip
def test_what_is_not_one_number_is_none(text):
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"), (-0.0, "0"), (0.1 + 0.2, "0.3"), (12.3456789, "12.3457"), (1234567.0, "1234567"),
        (1234567.8, "1234568"), (123450.4, "123450"), (99999.96, "100000"), (0.00012, "0.00012"), (1e-9, "1e-09"),
        (1e18, "1e+18"), (-2.5, "-2.5"), (float("inf"), ""), (float("nan"), ""),
    ],
)  # fmt: skip
def test_a_value_is_written_plainly(value, text):
    assert write_number(value) == text


@pytest.mark.parametrize("value", [0.3, 1200.0, -2.5, 1234567.0, 0.00012, 1e18])
def test_what_is_written_can_be_read(value):
    assert parse_number(write_number(value)) == value
