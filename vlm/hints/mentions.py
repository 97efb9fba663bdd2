"""Which of a picture's names a question speaks of, and which names it speaks of that the picture does not have."""

import re
from collections.abc import Iterable, Iterator, Sequence

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
NO_NAMES = frozenset(("x", "y", "ok", "tv"))


def find_mentions(names: Sequence[str], text: str) -> list[int]:
    """Which of `names` stand in `text` as whole words, in the order in which they stand there.

    Of "Total cost" and "cost" the longer one is meant where both would fit; a name that several things share means the
    first of them. Short names, and those that a picture itself could be called by, are told from words by their case.
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
    return sorted(found.items())


def missing(names: Sequence[str], text: str) -> Iterator[str]:
    """What a question quotes and the picture does not say."""
    known = {" ".join(name.casefold().split()) for name in names}
    for quoted in QUOTED.findall(text):
        if " ".join(quoted.casefold().split()) not in known:
            yield f'there is no "{quoted}"'


def missing_names(known: Iterable[str], text: str) -> Iterator[str]:
    """What a question calls by a name, in capitals or digits, that stands nowhere among what is `known`."""
    said = " ".join(" ".join(name.casefold().split()) for name in known)

    def is_said(name: str) -> bool:
        return re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", said) is not None

    for match in NAME.finditer(text):
        name = match[1] + match["more"]
        if not (is_said(name) or all(map(is_said, name.split())) or name.casefold() in NO_NAMES):
            rest = match["rest"] if text[: match.start()].endswith((" for ", " of ")) else None
            yield f'there is no "{name}{rest or ""}"'
