"""Questions about a notice, computed from its truth; only such as have one answer.

A coin decides between yes and no first; texts that are not there are composed in the same way as those that are.
"""

from collections.abc import Iterator
from random import Random

from vlm.structure import Entry, Notice

from . import signs_wording as words
from .family import Question
from .shapes_wording import say, sentence
from .signs_contents import clock, compose, minutes
from .tables_facts import Quantity
from .tables_questions import CANNOT_TELL, listing, yes_no

QUESTIONS = 12  # at most so many for one picture
NOT_GIVEN = ("phone", "date", "email", "seat", "author")  # what is asked for where it cannot be told
ALIKE = ("road sign", "door sign", "warning label", "shop notice", "opening hours")  # not to be told from each other
UNSAID = ("caption", "platform")  # roles whose texts say too little to be searched for
LONGEST_READ = 3  # lines
# How often each is asked for, where it is not always: what is drawn often is asked for rarely, so that no answer is
# more likely than the others.
INK_CHANCE = {"black": 0.185, "white": 0.22, "yellow": 0.85, "pink": 0.86, "orange": 0.88, "blue": 0.93}
BACKGROUND_CHANCE = {"white": 0.75, "black": 0.77, "yellow": 0.88, "pink": 0.89, "orange": 0.89, "green": 0.92}
ITEMS_CHANCE = {7: 0.85, 3: 0.9}
CLOSED_CHANCE = 0.4


def ask(notice: Notice, rng: Random) -> list[Question]:
    """Up to a dozen questions that this notice can answer, in random order, no text twice."""
    asked = {question.text: question for make in MAKERS for question in make(notice, rng)}
    questions = list(asked.values())
    rng.shuffle(questions)
    return questions[:QUESTIONS]


def _it(notice: Notice) -> str:
    return f"the {words.KINDS[notice.kind]}"


def _read(notice: Notice, rng: Random) -> Iterator[Question]:
    if len(notice.lines) <= LONGEST_READ:
        text, it = " ".join(notice.lines), _it(notice)
        yield Question("read", say(rng, words.READ, it=it), text, sentence(f'{it} says "{text}"'))


def _role(notice: Notice, rng: Random) -> Iterator[Question]:
    """What stands there once and has a name."""
    single = [role for role in words.ROLES if len(notice.of_role(role)) == 1]
    for role in rng.sample(single, min(2, len(single))):
        text, what, it = notice.of_role(role)[0].label.text, words.ROLES[role], _it(notice)
        fact = f'the {what} on {it} is "{text}"'
        yield Question("role", say(rng, words.ROLE, it=it, what=what), text, sentence(fact))


def _kind(notice: Notice, rng: Random) -> Iterator[Question]:
    """Which of two kinds; weighted so that every pair comes as often from the one as from the other."""
    others = [kind for kind in words.KINDS if kind != notice.kind]
    if notice.kind in ALIKE:
        others = [kind for kind in others if kind not in ALIKE]
    weights = [len(words.KINDS) - len(ALIKE) - 1 if kind in ALIKE else 1 for kind in others]
    true, false = words.NAMES[notice.kind], words.NAMES[rng.choices(others, weights)[0]]
    one, other = rng.sample((true, false), 2)
    answer = true.split(" ", 1)[1]
    yield Question("kind", say(rng, words.KIND, one=one, other=other), answer, sentence(f"this is {true}"))


def _prices(notice: Notice) -> list[tuple[Entry, Entry]]:
    """Items, each with its price."""
    items = ((item, notice.beside(item, "price")) for item in notice.of_role("item"))
    return [(item, price) for item, price in items if price]


def _price_of(notice: Notice, rng: Random) -> Iterator[Question]:
    if prices := _prices(notice):
        for item, price in rng.sample(prices, 2):
            name, text = item.label.text, price.label.text
            asked = say(rng, words.PRICE_OF, item=f"the {name}" if rng.random() < 0.5 else name)
            yield Question("price_of", asked, text, sentence(f"the {name} costs {text}"))


def _receipt(notice: Notice, rng: Random) -> Iterator[Question]:
    prices = _prices(notice)
    if not prices:
        return
    total, number = notice.of_role("total")[0].label.text, len(prices)
    yield Question("total", say(rng, words.TOTAL), total, sentence(f"the total is {total}"))
    if rng.random() < ITEMS_CHANCE.get(number, 1.0):
        fact = f"there are {number} items on the receipt"
        yield Question("count_items", say(rng, words.COUNT_ITEMS), str(number), sentence(fact))
    most = rng.choice(("most expensive", "cheapest"))
    values = [quantity.value for _, price in prices if (quantity := Quantity.parse(price.label.text))]
    extreme = (min if most == "cheapest" else max)(values)
    if values.count(extreme) == 1:
        item, price = prices[values.index(extreme)]
        fact = f"the {most} item is the {item.label.text}, at {price.label.text}"
        asked = say(rng, words.EXTREME, most=most)
        yield Question(most.replace(" ", "_"), asked, item.label.text, sentence(fact))


def _beside(notice: Notice, rng: Random) -> Iterator[Question]:
    """The hours of a day, the time of a departure, the distance of a town."""
    first, second = {
        "opening hours": ("day", "hours"),
        "timetable": ("place", "departure"),
        "road sign": ("place", "distance"),
    }.get(notice.kind, ("", ""))
    if entries := notice.of_role(first):
        entry = rng.choice(entries)
        found = notice.beside(entry, second)
        if found and (found.label.text != "closed" or rng.random() < CLOSED_CHANCE):
            it, text = entry.label.text, found.label.text
            asked = say(rng, words.BESIDE[notice.kind], it=it)
            yield Question("beside", asked, text, sentence(f'next to {it}, it says "{text}"'))


def _open_at(notice: Notice, rng: Random) -> Iterator[Question]:
    """At half hours that are clearly inside or outside the hours of a day."""
    is_open, fitting = rng.random() < 0.5, []
    halves = any(" am" in hours.label.text for hours in notice.of_role("hours"))
    for day in notice.of_role("day"):
        hours = notice.beside(day, "hours")
        assert hours is not None
        start, end = _span(hours.label.text)
        times = [time for time in range(7 * 60, 22 * 60, 30) if time not in (start, end)]
        times = [time for time in times if (start < time < end) == is_open]
        if times:
            fitting.append((day.label.text, hours.label.text, clock(rng.choice(times), halves)))
    if fitting:
        day_name, text, time = rng.choice(fitting)
        asked = say(rng, words.OPEN_AT, day=day_name, time=time)
        yield yes_no("open_at", asked, is_open, f'next to {day_name}, it says "{text}"')


def _span(hours: str) -> tuple[int, int]:
    """From and to, in minutes since midnight; both -1 where it is closed."""
    if hours == "closed":
        return -1, -1
    start, _, end = hours.replace(" to ", " - ").replace(" \N{EN DASH} ", " - ").partition(" - ")
    return minutes(start), minutes(end)


def _says(notice: Notice, rng: Random) -> Iterator[Question]:
    """A text that is there, or one in the same role that might have been."""
    entry = rng.choice([entry for entry in notice.entries if entry.role not in UNSAID])
    written = " ".join(notice.lines).lower()
    for _ in range(20):
        others = [text for row in compose(notice.kind, rng) for role, text in row if role == entry.role]
        if absent := [text for text in others if text.lower() not in written]:
            there, negated = rng.random() < 0.5, rng.random() < 0.4
            text, it = entry.label.text if there else absent[0], _it(notice)
            fact = f'{it} {"says" if there else "does not say"} "{text}"'
            asked = say(rng, words.SAYS_NOT if negated else words.SAYS, text=text, it=it)
            yield yes_no("says_not" if negated else "says", asked, there != negated, fact)
            return


def _color(notice: Notice, rng: Random) -> Iterator[Question]:
    it = _it(notice)
    if notice.background and rng.random() < BACKGROUND_CHANCE.get(notice.background, 1.0):
        fact = f"{it} is {notice.background}"
        yield Question("background", say(rng, words.BACKGROUND, it=it), notice.background, sentence(fact))
    assert notice.ink is not None  # what is drawn has a colour
    if rng.random() < INK_CHANCE.get(notice.ink, 1.0):
        asked = say(rng, words.INK, it=it)
        yield Question("text_color", asked, notice.ink, sentence(f"the text on {it} is {notice.ink}"))


def _position(notice: Notice, rng: Random) -> Iterator[Question]:
    if len(notice.lines) > 1:
        place = rng.choice(("first", "last"))
        text = notice.lines[0 if place == "first" else -1]
        asked = say(rng, words.POSITION, place=place)
        yield Question("position", asked, text, sentence(f'the {place} line says "{text}"'))


def _cannot_tell(notice: Notice, rng: Random) -> Iterator[Question]:
    """Asks like `_role`, but for what is not there."""
    role = rng.choice(NOT_GIVEN)
    if not notice.of_role(role) and rng.random() < 0.5:
        what, it = words.ROLES[role], _it(notice)
        why = f"{CANNOT_TELL}: {it} gives no {what}"
        yield Question("cannot_tell", say(rng, words.ROLE, it=it, what=what), CANNOT_TELL, sentence(why))


def _describe(notice: Notice, rng: Random) -> Iterator[Question]:
    """The kind and every line."""
    quoted = listing([f'"{line}"' for line in notice.lines])
    name = words.NAMES[notice.kind]
    elements = (name.split(" ", 1)[1], *notice.lines)
    colour = f" in {notice.ink} letters"
    colour += f" on {notice.background}" if notice.background else ""
    fact = f"{name}{colour} that says {quoted}"
    yield Question("describe", say(rng, words.DESCRIBE), ", ".join(elements), sentence(fact), elements)


MAKERS = (
    _read, _role, _kind, _price_of, _receipt, _beside, _open_at, _says, _color, _position, _cannot_tell, _describe,
)  # fmt: skip
