"""Composes what is written: rows of texts with their roles, before they are laid out."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from . import signs_words as words
from .tables_contents import DATES

Part = tuple[str, str]  # (role, text)
Row = tuple[Part, ...]


def compose(kind: str, rng: Random) -> list[Row]:
    """The rows of a notice of this kind, from the top."""
    return KINDS[kind](rng)


def minutes(time: str) -> int:
    """A time of day as minutes since midnight: "9:30 am", "14:00"."""
    clock, _, half = time.partition(" ")
    hours, rest = (int(part) for part in clock.split(":"))
    if half:
        hours = hours % 12 + 12 * (half == "pm")
    return 60 * hours + rest


def clock(minute: int, halves: bool) -> str:
    """Minutes since midnight as a time of day, from 0 to 24 hours or in halves of the day."""
    hours, rest = divmod(minute, 60)
    return f"{(hours - 1) % 12 + 1}:{rest:02} {'am' if hours < 12 else 'pm'}" if halves else f"{hours:02}:{rest:02}"


def _some(rng: Random, share: float, *parts: Part) -> list[Row]:
    return [parts] if rng.random() < share else []


def _time(rng: Random) -> str:
    return clock(rng.randrange(8 * 60, 22 * 60, 5), rng.random() < 0.3)


def _date(rng: Random) -> str:
    return (date(2019, 1, 1) + timedelta(days=rng.randrange(2900))).strftime(rng.choice(DATES))


def _phone(rng: Random) -> str:
    digits = "".join(rng.choice("0123456789") for _ in range(7))
    return rng.choice((f"0{digits[:3]} {digits[3:]}", f"555-{digits[:4]}", f"+{digits[:2]} {digits[2:]}"))


def _person(rng: Random) -> str:
    return f"{rng.choice(words.PEOPLE)} {rng.choice(words.SURNAMES)}"


def _prices(number: int, rng: Random) -> tuple[list[int], Callable[[int], str]]:
    """Amounts in cents and how to write them."""
    sign = rng.choice(words.CURRENCIES)
    form = rng.choice((f"{sign}{{:.2f}}", f"{{:.2f}} {sign}", "{:.2f}"))
    return [rng.randint(60, 1999) for _ in range(number)], lambda cents: form.format(cents / 100)


def _road_sign(rng: Random) -> list[Row]:
    if rng.random() < 0.4:
        return [(("heading", rng.choice(words.ROAD)),), *_some(rng, 0.4, ("distance", f"{rng.randint(1, 20) * 50} m"))]
    places = rng.sample(words.TOWNS, rng.randint(1, 4))
    return [(("place", place), ("distance", f"{rng.randint(2, 480)} km")) for place in places]


def _door_sign(rng: Random) -> list[Row]:
    rows: list[Row] = [(("heading", rng.choice(words.DOORS)),)]
    rows += _some(rng, 0.5, ("room", f"Room {rng.randint(1, 420)}"))
    return rows + _some(rng, 0.5, ("name", _person(rng)))


def _warning_label(rng: Random) -> list[Row]:
    rows: list[Row] = [(("heading", rng.choice(words.ALARMS) + rng.choice(("", "!"))),)]
    return [*rows, (("body", rng.choice(words.HAZARDS)),), *_some(rng, 0.6, ("advice", rng.choice(words.ADVICE)))]


def _shop_notice(rng: Random) -> list[Row]:
    rows: list[Row] = [(("heading", rng.choice(words.NEWS)),), *_some(rng, 0.7, ("body", rng.choice(words.DETAILS)))]
    rows += _some(rng, 0.5, ("date", _date(rng))) + _some(rng, 0.4, ("time", _time(rng)))
    return rows + _some(rng, 0.5, ("phone", _phone(rng)))


def _opening_hours(rng: Random) -> list[Row]:
    first, number = rng.randint(0, 2), rng.randint(3, 7)
    days = words.DAYS[first : first + number]
    halves, dash = rng.random() < 0.3, rng.choice((" - ", " \N{EN DASH} ", " to "))
    heading = rng.choice((("heading", "Opening hours"), ("shop", rng.choice(words.SHOPS))))
    rows: list[Row] = [(heading,)]
    for day in days:
        start, end = rng.randrange(6 * 60, 13 * 60, 30), rng.randrange(14 * 60, 23 * 60, 30)
        hours = f"{clock(start, halves)}{dash}{clock(end, halves)}" if rng.random() < 0.75 else "closed"
        rows.append((("day", day), ("hours", hours)))
    return rows + _some(rng, 0.25, ("phone", _phone(rng)))


def _price_tag(rng: Random) -> list[Row]:
    (cents,), write = _prices(1, rng)
    rows: list[Row] = [(("item", rng.choice(words.GOODS)),), (("price", write(cents)),)]
    return rows + _some(
        rng, 0.4, ("amount", rng.choice(("per kg", "per piece", "per box", "500 g", "1 litre", "250 g")))
    )


def _business_card(rng: Random) -> list[Row]:
    name = _person(rng)
    rows: list[Row] = [(("name", name),), (("job", rng.choice(words.JOBS)),)]
    rows += [*_some(rng, 0.5, ("shop", rng.choice(words.SHOPS))), (("phone", _phone(rng)),)]
    rows += _some(rng, 0.6, ("email", f"{name.split()[0].lower()}@{rng.choice(('mail', 'post', 'web'))}.example"))
    return rows + _some(rng, 0.4, ("place", rng.choice(words.TOWNS)))


def _receipt(rng: Random) -> list[Row]:
    goods = rng.sample(words.GOODS, rng.randint(2, 7))
    prices, write = _prices(len(goods), rng)
    rows: list[Row] = [
        (("shop", rng.choice(words.SHOPS)),),
        *_some(rng, 0.6, ("date", _date(rng)), ("time", _time(rng))),
    ]
    rows += [(("item", item), ("price", write(cents))) for item, cents in zip(goods, prices, strict=True)]
    rows.append((("caption", rng.choice(("Total", "TOTAL", "Sum", "To pay"))), ("total", write(sum(prices)))))
    return rows + _some(rng, 0.4, ("body", rng.choice(words.THANKS)))


def _ticket(rng: Random) -> list[Row]:
    (cents,), write = _prices(1, rng)
    rows: list[Row] = [(("heading", rng.choice(words.EVENTS)),), (("date", _date(rng)), ("time", _time(rng)))]
    rows += _some(rng, 0.5, ("place", rng.choice(words.TOWNS)))
    rows.append((("seat", f"Seat {rng.choice('ABCDEFGH')}{rng.randint(1, 40)}"), ("price", write(cents))))
    return rows


def _timetable(rng: Random) -> list[Row]:
    places = rng.sample(words.TOWNS, rng.randint(2, 6))
    times = sorted(rng.sample(range(5 * 60, 23 * 60, 3), len(places)))
    rows: list[Row] = [(("heading", rng.choice(("Departures", "Trains", "Buses", "Timetable"))),)]
    for time, place in zip(times, places, strict=True):
        rows.append((("departure", clock(time, False)), ("place", place), ("platform", str(rng.randint(1, 24)))))
    return rows


def _book_cover(rng: Random) -> list[Row]:
    title = f"The {rng.choice(words.FIRST)} {rng.choice(words.SECOND)}"
    rows: list[Row] = [(("title", title),), (("author", _person(rng)),)]
    if rng.random() < 0.4:
        rows.reverse()
    return rows + _some(rng, 0.6, ("publisher", rng.choice(words.PUBLISHERS)))


KINDS: dict[str, Callable[[Random], list[Row]]] = {
    "road sign": _road_sign,
    "door sign": _door_sign,
    "warning label": _warning_label,
    "shop notice": _shop_notice,
    "opening hours": _opening_hours,
    "price tag": _price_tag,
    "business card": _business_card,
    "receipt": _receipt,
    "ticket": _ticket,
    "timetable": _timetable,
    "book cover": _book_cover,
}
