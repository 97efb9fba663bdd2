"""Which of a picture's names a question speaks of."""

import re
from collections.abc import Iterator, Sequence

QUOTED = re.compile(r'["\u201c]([^"\u201c\u201d]+)["\u201d]')
SHORT = 2  # letters: "A" is a name, "a" is a word


def find_mentions(names: Sequence[str], text: str) -> list[int]:
    """Which of `names` stand in `text` as whole words, in the order in which they stand there.

    Of "Total cost" and "cost" the longer one is meant where both would fit; a name that several things share means the
    first of them. Short names are told from words by their case.
    """
    free, found = text, dict[int, int]()
    seen = set[str]()
    for number in sorted(range(len(names)), key=lambda i: -len(names[i])):
        name = " ".join(names[number].split())
        if not name or name.casefold() in seen:
            continue
        seen.add(name.casefold())
        pattern = r"(?<!\w)" + re.escape(name).replace(r"\ ", r"\s+") + r"(?!\w)"
        match = re.search(pattern, free, 0 if len(name) <= SHORT else re.IGNORECASE)
        if match:
            found[match.start()] = number
            free = free[: match.start()] + "\0" * len(match[0]) + free[match.end() :]
    return [found[place] for place in sorted(found)]


def missing(names: Sequence[str], text: str) -> Iterator[str]:
    """What a question quotes and the picture does not say."""
    known = {" ".join(name.casefold().split()) for name in names}
    for quoted in QUOTED.findall(text):
        if " ".join(quoted.casefold().split()) not in known:
            yield f'there is no "{quoted}"'
