"""What OCR confuses, set right by what a text is there for: a number, a name beside its swatch, one of a list."""

import re
from collections import Counter
from collections.abc import Sequence

from ..structure import Label
from ..structure.numbers import parse_number

DIGITS = str.maketrans("OoDQlI|SsZB", "00001115528")  # what letters stand for among digits
DOLLAR = re.compile(r"^[SŠ](?=\s?[\dO])")
PERCENT = re.compile(r"(?<=\d)\s?(?:%[6o0]|96|9%)$")  # what becomes of "%"
STROKE = re.compile(r"^[1Il|]\s(?=\d)")  # the edge of a bar before a number
SWATCH = re.compile(
    r"^(?:[1Il|*=_~+<>xX\u00d7\u2022\u00b7\u00b0\u2013\u2014-]\s+|[*=_~+\u2022\u00b7\u2013\u2014-]{2,3}\s*|[X\u00d7](?=[A-Z][a-z]))(?=\w)"
)
MARKERS = frozenset("OoXx0*+=<>|Il-")  # what a marker alone is read as
LOOKALIKES = {"Q": "0O9", "q": "9g", "W": "VN", "T": "1", "S": "5", "B": "8", "P": "F"}
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
CALENDAR = tuple(frozenset(name[:length] for name in names) for names in (MONTHS, DAYS) for length in (3, 9))
MOSTLY = 0.5  # of the other texts of a list begin alike
AS_DOLLAR = re.compile(r"^[$SŠ358](?=\d)")  # what "$" is read as
THOUSANDS = re.compile(r"[^\d]*\d{1,3}(?: \d{3})+[^\d]*")  # one number, not several


def number_readings(text: str) -> list[float]:
    """The numbers that a text may stand for, the likeliest first: as it was read, then with what OCR confuses."""
    text = DOLLAR.sub("$", text)
    written = [text, PERCENT.sub("%", text), text.translate(DIGITS), STROKE.sub("", text), text.replace(" ", "")]
    if text.startswith("$"):
        written.append("$" + text[1:].translate(DIGITS))
    return [value for value in dict.fromkeys(map(parse_number, written)) if value is not None]


def nearest_reading(text: str, value: float, reach: float) -> float | None:
    """Of the numbers that a text may stand for the nearest to a value; None where none is within reach."""
    near = min(number_readings(text), key=lambda one: abs(one - value), default=None)
    return near if near is not None and abs(near - value) <= reach else None


def without_swatch(label: Label) -> Label:
    """A name without the swatch or the piece of line to the left of it, which was read as a letter."""
    text = SWATCH.sub("", label.text)
    left, top, right, bottom = label.box
    left += (right - left) * (1 - len(text) / max(1, len(label.text)))  # about so wide was what is no name
    return label.model_copy(update={"text": text, "box": (left, top, right, bottom)})


def like_the_others(texts: Sequence[str]) -> list[str]:
    """Texts such as "Q1", "02", "Ql", or "Mon", "Tuc": the odd one is written like the others, if it looks so."""
    first = Counter(text[0] for text in texts if re.match(r"[A-Za-z]\d", text))
    if not first:
        return _of_a_calendar(texts)
    letter, number = first.most_common(1)[0]
    if number < max(2, MOSTLY * len(texts)):
        return list(texts)
    odd = letter + LOOKALIKES.get(letter, "")
    written = [text if text[1:2].isdigit() else text[:1] + text[1:].translate(DIGITS) for text in texts]
    return [
        letter + one[1:] if one[:1] in odd and one[1:2].isdigit() else text
        for one, text in zip(written, texts, strict=True)
    ]


def with_dollars(texts: Sequence[str]) -> list[str]:
    """Amounts that stand together: where one has its "$", and every other begins with what that is read as, all do."""
    if not any(text.startswith("$") for text in texts) or not all(map(AS_DOLLAR.match, texts)):
        return list(texts)
    return ["$" + text[1:] for text in texts]


def labels_apart(label: Label) -> list[Label]:
    """The labels of an axis that were read as one text, such as "10-19 20-29", "Q1 Q2" and "Jun 13 Jun 16"."""
    texts = _texts_apart(label.text)
    left, top, right, bottom = label.box
    if len(texts) < 2 or bottom - top > right - left:
        return [label]
    letter = (right - left) / len(label.text)  # about so wide, and a space, too
    found = []
    for text in texts:
        found.append(label.model_copy(update={"text": text, "box": (left, top, left + letter * len(text), bottom)}))
        left += letter * (len(text) + 1)
    return found


def _texts_apart(text: str) -> list[str]:
    words = text.split()
    if not any(map(str.isdigit, text)) or THOUSANDS.fullmatch(text):
        return [text]
    alike = [re.sub(r"\d+", "0", re.sub(r"[^\W\d_]+", "a", word)) for word in words]
    for size in (1, 2):
        if len(words) > size and len(words) % size == 0 and alike == alike[:size] * (len(words) // size):
            return [" ".join(words[i : i + size]) for i in range(0, len(words), size)]
    return [text]


def _of_a_calendar(texts: Sequence[str]) -> list[str]:
    """Where most are months or days of the week, what is one of those but for a letter is that."""
    for names in CALENDAR:
        missing = names - set(texts)
        if len(names) - len(missing) >= max(2, MOSTLY * len(texts)):
            near = [[name for name in missing if _differ_by_one(name, text)] for text in texts]
            return [
                one[0] if len(one) == 1 and text not in names else text for one, text in zip(near, texts, strict=True)
            ]
    return list(texts)


def _differ_by_one(one: str, two: str) -> bool:
    return len(one) == len(two) and sum(a != b for a, b in zip(one.casefold(), two.casefold(), strict=True)) <= 1
