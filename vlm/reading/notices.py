"""Signs, cards and slips of paper: words line by line, each with what it is there for, by what it looks like.

The network tells headings, items and prices from the rest; that "0841 3573" on a card is a phone number is told by its
form, here, as anybody would tell it.
"""

import re
from collections import Counter
from collections.abc import Sequence

from ..structure import Entry, Notice
from .colours import ink_and_paper
from .seen import Seen, around
from .tables import groups

_CLOCK = r"(?:\d{1,2} ?: ?\d\d(?:\s?[ap]\.?m\.?)?|\d{1,2}(?:\.\d\d)?\s?[ap]\.?m\.?)"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
_DAY = r"(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?"
# Role -> the whole of a text that plays it; the first that fits.
FORMS = {
    role: re.compile(form, re.IGNORECASE)
    for role, form in {
        "email": r"\S+@\S+\.\S+",
        "hours": rf"{_CLOCK}\s*(?:-|\u2013|to|until)\s*{_CLOCK}|closed",
        "day": rf"{_DAY}(?:\s*(?:-|\u2013|to)\s*{_DAY})?",
        "time": _CLOCK,
        "date": r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
        rf"|(?:{_DAY},? )?(?:\d{{1,2}}\.? {_MONTH}|{_MONTH} \d{{1,2}})(?:,? \d{{4}})?",
        "price": r"[$\u20ac\u00a3\u00a5]\s?\d[\d.,]*|\d[\d.,]*\s?[$\u20ac\u00a3\u00a5]|\d+[.,]\d\d",
        "seat": r"seats?\W.*\d",
        "room": r"room\W.*\d",
        "distance": r"\d[\d.,]* ?(?:m|km|mi|miles?|yd|ft)",
        "phone": r"(?:tel\W*)?(?=(?:\D*\d){6})\+?[\d ()/-]+",
        "caption": r"(?:sub|grand )?total|sum|to pay|amount due|balance",
        "amount": r"per \w+|\d+ ?(?:g|kg|ml|l|litres?|pcs)",
        "platform": r"\d{1,2}",
    }.items()
}
LARGE = ("heading", "item")  # what the network calls a name that stands out
ALARM = re.compile(r"\b(?:warning|danger|caution|attention|hazard|beware)\b", re.IGNORECASE)
NAME = re.compile(r"[A-Z][a-z'-]+(?: [A-Z]\.)? [A-Z][a-z'-]+")  # of a person


def read_notice(seen: Seen) -> Notice | None:
    words = list(seen.words)
    if not words:
        return None
    rows = groups(seen, words, "row")
    rows.sort(key=lambda group: min(word.label.box[1] for word in group))
    entries = settle_roles(
        [
            Entry(
                role=word.role,
                row=number,
                label=word.label,
                confidence=seen.vocabulary.calibrated("entry", word.label.confidence),
            )
            for number, row in enumerate(rows)
            for word in sorted(row, key=lambda one: one.label.box[0])
        ]
    )
    labels = [entry.label for entry in entries]
    largest = max(labels, key=lambda label: label.box[3] - label.box[1])
    ink, paper = ink_and_paper(seen.image, largest.box)
    return Notice(
        width=seen.image.width, height=seen.image.height, kind=kind_of(entries),
        box=around(label.box for label in labels), background=paper, ink=ink, entries=entries,
    )  # fmt: skip


def settle_roles(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The same entries, with roles that their texts, and what stands beside them, tell better than the network."""
    roles = [_by_form(entry) for entry in entries]
    for row in {entry.row for entry in entries}:
        here = [number for number, entry in enumerate(entries) if entry.row == row]
        said = [roles[number] for number in here]
        if "caption" in said:
            _change(roles, here, {"price": "total"})
        elif "time" in said and len(here) > 1 and {"text", *LARGE} & {*said}:  # a board: when, where to, from where
            _change(roles, here, {"time": "departure", "text": "place", "heading": "place", "item": "place"})
        elif "distance" in said:
            _change(roles, here, {"text": "place", "heading": "place", "item": "place"})
        elif "hours" in said:
            _change(roles, here, {"text": "day", "heading": "day", "item": "day"})
        elif "price" in said and len(here) > 1:
            _change(roles, here, {"text": "item", "heading": "item"})
    if "departure" not in roles:
        _change(roles, range(len(roles)), {"platform": "text"})
    _settle_names(entries, roles)
    return tuple(entry.model_copy(update={"role": role}) for entry, role in zip(entries, roles, strict=True))


def _by_form(entry: Entry) -> str:
    text = " ".join(entry.label.text.split())
    role = next((role for role, form in FORMS.items() if form.fullmatch(text)), None)
    if role is None and entry.role in ("price", "total"):  # a number, whatever is written around it
        return entry.role if re.search(r"\d", text) else "text"
    return role or (entry.role if entry.role in LARGE else "text")


def _change(roles: list[str], numbers: Sequence[int], changes: dict[str, str]) -> None:
    for number in numbers:
        roles[number] = changes.get(roles[number], roles[number])


def _settle_names(entries: Sequence[Entry], roles: list[str]) -> None:
    """Persons; on a card, which says how to reach somebody, the name comes first and the job after it."""
    named = [i for i, one in enumerate(entries) if NAME.fullmatch(one.label.text) and roles[i] in ("text", *LARGE)]
    is_card = named[:1] == [0] and bool({"phone", "email"} & {*roles})
    for number in named:
        if roles[number] == "text" or (is_card and number == 0):
            roles[number] = "name"
    if is_card and len(roles) > 1 and roles[1] in ("text", "name", *LARGE):
        roles[1] = "job"


def kind_of(entries: Sequence[Entry]) -> str:
    """What a notice with these entries is called; "sign" where it could be several things."""
    counts = Counter(entry.role for entry in entries)
    first = entries[0].label.text if entries else ""
    rules = {
        "opening hours": counts["hours"] > 0,
        "timetable": counts["departure"] > 0,
        "ticket": counts["seat"] > 0,
        "receipt": counts["total"] > 0 or (counts["item"] > 1 and counts["price"] > 1),
        "business card": counts["job"] > 0,
        "warning label": ALARM.search(first) is not None,
        "door sign": counts["room"] > 0,
        "price tag": counts["price"] == 1,
        "road sign": counts["distance"] > 0,
        "shop notice": counts["date"] + counts["time"] + counts["phone"] > 0,
    }
    return next((kind for kind, is_so in rules.items() if is_so), "sign")
