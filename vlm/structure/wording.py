"""Names in facts: how they are joined, counted and found again."""

from collections.abc import Iterable, Sequence


def join_names(names: Iterable[str]) -> str:
    """ "A, B and C" """
    *others, last = list(names) or [""]
    return f"{', '.join(others)} and {last}" if others else last


def with_article(noun: str) -> str:
    """ "a box", "an arrow" """
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def count_of(number: int, one: str, many: str | None = None) -> str:
    """ "1 box", "2 boxes" """
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def find_name(names: Sequence[str], wanted: str) -> int | None:
    """Which of the names is meant, whatever the case and the spaces; None where none is, or more than one."""
    found = [i for i, name in enumerate(names) if _plain(name) == _plain(wanted)]
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
