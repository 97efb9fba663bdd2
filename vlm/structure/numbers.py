"""Numbers as people write them in charts and tables."""

import math
import re

MULTIPLIERS = {
    "k": 1e3, "K": 1e3, "M": 1e6, "m": 1e6, "B": 1e9, "bn": 1e9, "G": 1e9, "T": 1e12,
    "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
}  # fmt: skip
DIGITS = 6  # of a value that is not whole, as it is written: no picture shows more
MINUSES = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{NO-BREAK SPACE}": " ", "\N{THIN SPACE}": " "})
# a sign or a bracket, a currency, digits in groups, an exponent, a multiplier, a unit
NUMBER = re.compile(
    r"^(?P<open>\()?(?P<sign>[-+])?\s*[$€£¥]?\s*(?P<sign2>-)?"
    r"(?P<digits>\d[\d.,' ]*|[.,]\d+)(?:[eE](?P<exponent>[-+]?\d+))?"
    r"\s*(?P<times>(?:thousand|million|billion|trillion|bn|[kKMBGTm])(?![A-Za-z]))?\s*(?P<unit>[^\d()]{0,12})?(?P<close>\))?$"
)


def parse_number(text: str) -> float | None:
    """The value of "1,200", "$3.5k", "12%", "(3)", "2.5M", "50 kg", "3,5"; of per cent the number before the sign.

    None where the text is not one number with, at most, a currency, a multiplier and a unit: dates and ranges are not.
    """
    found = NUMBER.match(text.strip().translate(MINUSES))
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    unit = (found["unit"] or "").strip()
    if unit and not re.fullmatch(r"%|[$€£¥°]?\s?[A-Za-zµ°²³/%€£$¥.·]*", unit):
        return None
    digits = _plain(found["digits"].strip())
    if digits is None:
        return None
    value = float(f"{digits}e{found['exponent'] or 0}")
    times = found["times"]
    if times == "m" and unit == "":  # "5 m" is five metres, "5m" on an axis five million; a space tells
        times = None if re.search(r"\d\sm", text) else times
    value *= MULTIPLIERS[times] if times else 1.0
    if not math.isfinite(value):
        return None
    return -value if found["sign"] == "-" or found["sign2"] or found["open"] else value


def write_number(value: float) -> str:
    """The shortest plain writing: whole numbers whole, others with six digits; no separators, so that it is data."""
    if not math.isfinite(value):
        return ""
    if value == round(value) and abs(value) < 1e15:
        return str(round(value))
    decimals = DIGITS - 1 - math.floor(math.log10(abs(value)))
    if decimals <= 0 and abs(value) < 1e15:
        return str(round(value))
    if not 0 < decimals <= 12:
        return f"{value:.{DIGITS}g}"
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")


def _plain(digits: str) -> str | None:
    """Digits with a point or nothing between: "1,200.5", "1.200,5", "1 200" and "3,5" are what they look like."""
    if digits[-1] in ".,' ":
        digits = digits[:-1]
    marks = [mark for mark in digits if not mark.isdigit()]
    if not marks:
        return digits
    last, others = marks[-1], set(marks[:-1])
    tail = digits.rpartition(last)[2]
    is_group = last in ", '" and len(tail) == 3 and digits[0] != "0"
    if last in others and not (is_group or (last == "." and len(tail) == 3)):
        return None
    if is_group or (last == "." and "." in others):
        whole, fraction = digits, ""
    else:
        if last not in ".,":
            return None
        whole, fraction = digits.rpartition(last)[0], tail
    groups = re.split(r"[., ']", whole)
    if len(groups) > 1 and not all(len(group) == 3 for group in groups[1:]):
        return None
    return "".join(groups) + (f".{fraction}" if fraction else "") or None
