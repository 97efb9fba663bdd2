"""What the entries of a notice are there for, by their form and by what stands beside them."""

from random import Random

import pytest

from train.as_read import as_read
from train.data_engine import draw
from vlm.reading.notices import kind_of, settle_roles
from vlm.structure import Entry, Label


def entries(*rows: str) -> list[Entry]:
    """Rows of texts, `|` between two that stand side by side; ">" marks what the network takes for a heading."""
    return [
        Entry(
            role="heading" if text.startswith(">") else "text", row=number,
            label=Label(text=text.strip("> "), box=(0, 10 * number, 50, 10 * number + 8)),
        )
        for number, row in enumerate(rows)
        for text in row.split("|")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "roles", "kind"),
    [
        ((">Kate Becker", "Baker", "0143 3539"), ["name", "job", "phone"], "business card"),
        ((">Opening hours", "Monday|08:00 - 14:30", "Sunday|closed"),
         ["heading", "day", "hours", "day", "hours"], "opening hours"),
        ((">Trains", "19:48|Hanoi|21", "20:48|Prague|8"),
         ["heading", "departure", "place", "platform", "departure", "place", "platform"], "timetable"),
        ((">Luna Bar", "Soup|$4.10", "Tea|$2", "Total|$6.10"),
         ["heading", "item", "price", "item", "price", "caption", "total"], "receipt"),
        ((">Jazz Night", "12 Mar 2024|7:30 pm", "Seat B5|18.18"),
         ["heading", "date", "time", "seat", "price"], "ticket"),
        ((">Caution!", "Wet floor"), ["heading", "text"], "warning label"),
        (("Oslo|65 km", "Lima|307 km"), ["place", "distance", "place", "distance"], "road sign"),
        ((">Olives", "19.03", "per box"), ["heading", "price", "amount"], "price tag"),
        ((">Office", "Room 307"), ["heading", "room"], "door sign"),
        ((">Flea market", "05.11.2024", "kate@post.example"), ["heading", "date", "email"], "shop notice"),
        ((">Bridge ahead",), ["heading"], "sign"),
    ],
)  # fmt: skip
def test_roles_and_kinds_are_told_by_what_is_written(rows, roles, kind):
    settled = settle_roles(entries(*rows))
    assert ([entry.role for entry in settled], kind_of(settled)) == (roles, kind)


def test_of_drawn_notices_hardly_any_is_called_something_else():
    wrong = 0
    for seed in range(60):
        truth = draw("signs", seed, "train").truth
        kind = as_read(truth, "signs", Random(0), spoilt=False).structure.kind
        wrong += kind not in (truth.kind, "sign")
    assert wrong <= 1
