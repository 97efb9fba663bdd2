"""Which of a picture's names a question speaks of, and which names it speaks of that the picture does not have."""

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

QUOTED = re.compile(r'["\u201c]([^"\u201c\u201d]+)["\u201d]')
SHORT = 2  # letters: "A" is a name, "a" is a word
PICTURES = frozenset(("drawing", "picture", "image", "photo", "chart", "table", "diagram", "graph", "plot", "figure"))
# Capitals and digits inside a sentence: at its start every word is written so, and what follows "than" is a limit.
_WORD = r"(?!(?:Answer|Give|Only|Please|Reply|Say|Tell|Use|Write)\b)[A-Z][\w'&-]*"  # wishes follow without a full stop
NAME = re.compile(
    r"(?<=[\w,] )(?<!above )(?<!below )(?<!over )(?<!under )(?<!than )(?<!est to )"
    rf"({_WORD}(?<=\w)|\d+:\d\d|\d{{4}}(?!\d))(?P<more>(?: (?:{_WORD}|\d+)(?!\w))*)"
    r"(?P<rest>(?: [a-z][a-z-]+){1,2}(?=[?.]|$))?"
)
LIKE, LEAST = 0.8, 5  # what is so like a name, and so long, is that name misread
NO_NAMES = frozenset(("x", "y", "ok", "tv"))


def find_mentions(names: Sequence[str], text: str) -> list[int]:
    """Which of `names` stand in `text` as whole words, in the order in which they stand there.

    Of "Total cost" and "cost" the longer one is meant where both would fit; a name that several things share means the
    first of them. Short names, and those that a picture itself could be called by, are told from words by their case.
    What the text calls by a name that is nearly one of these is taken for that: pictures are misread.
    """
    return [number for _, number in place_mentions(names, text)]


def place_mentions(names: Sequence[str], text: str) -> list[tuple[int, int]]:
    """The same, each with the place in the text where it stands."""
    free, found = text, dict[int, int]()
    seen = set[str]()
    for number in sorted(range(len(names)), key=lambda i: -len(names[i])):
        name = " ".join(names[number].split())
        if not name or name.casefold() in seen:
            continue
        seen.add(name.casefold())
        pattern = r"(?<!\w)" + re.escape(name).replace(r"\ ", r"\s+") + r"(?!\w)"
        as_written = len(name) <= SHORT or name.casefold() in PICTURES
        match = re.search(pattern, free, 0 if as_written else re.IGNORECASE)
        if match:
            found[match.start()] = number
            free = free[: match.start()] + "\0" * len(match[0]) + free[match.end() :]
    for place, name in (*_quoted(free), *((at, name + rest) for at, name, rest in _named(free))):
        alike = [number for number, known in enumerate(names) if number not in found.values() and _is_like(name, known)]
        if len(alike) == 1:
            found[place] = alike[0]
    return sorted(found.items())


def missing(names: Sequence[str], text: str) -> Iterator[str]:
    """What a question quotes and the picture does not say."""
    known = {" ".join(name.casefold().split()) for name in names}
    for _, quoted in _quoted(text):
        if " ".join(quoted.casefold().split()) not in known and not any(_is_like(quoted, name) for name in names):
            yield f'there is no "{quoted}"'


def missing_names(known: Iterable[str], text: str) -> Iterator[str]:
    """What a question calls by a name, in capitals or digits, that stands nowhere among what is `known`."""
    names = list(known)
    said = " ".join(" ".join(name.casefold().split()) for name in names)

    def is_said(name: str) -> bool:
        return re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", said) is not None

    for _, name, rest in _named(text):
        if not (is_said(name) or all(map(is_said, name.split())) or any(_is_like(name + rest, one) for one in names)):
            yield f'there is no "{name}{rest}"'


def _quoted(text: str) -> Iterator[tuple[int, str]]:
    return ((match.start(1), match[1]) for match in QUOTED.finditer(text))


def _named(text: str) -> Iterator[tuple[int, str, str]]:
    """What looks like a name, each with its place, and after "for" and "of" the small words up to the end: "Smart
    watch" may be one.
    """
    for match in NAME.finditer(text):
        name = match[1] + match["more"]
        if name.casefold() not in NO_NAMES:
            ends = text[: match.start()].endswith((" for ", " of "))
            yield match.start(), name, (match["rest"] or "") if ends else ""


def _is_like(one: str, other: str) -> bool:
    """Whether they are the same but for a letter or so; digits have to be the same."""
    one, other = one.casefold(), other.casefold()
    if min(len(one), len(other)) < LEAST or re.findall(r"\d", one) != re.findall(r"\d", other):
        return False
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.real_quick_ratio() >= LIKE and matcher.ratio() >= LIKE
