"""Notices: text on signs, labels, cards, tickets and receipts, line by line."""

from pydantic import Field

from .base import Box, Element, Label, Structure


class Entry(Element):
    """One piece of text and what it is there for."""

    role: str  # "heading", "body", "item", "price", "total", "phone", ...
    row: int = Field(ge=0)  # from the top; what shares a row belongs together, as an item and its price do
    label: Label


class Notice(Structure):
    """A sign, card or slip of paper with its text."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    kind: str  # "receipt"
    box: Box  # of the sign itself
    background: str | None  # the name of the sign's colour; None where one word would not do
    ink: str | None  # the name of the letters' colour
    entries: tuple[Entry, ...]  # in reading order

    def of_role(self, role: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.role == role)

    def beside(self, entry: Entry, role: str) -> Entry | None:
        """What stands in the row of an entry in this role: the price of an item, say."""
        return next((other for other in self.entries if other.row == entry.row and other.role == role), None)

    @property
    def lines(self) -> tuple[str, ...]:
        """The text row by row, from the top."""
        rows = sorted({entry.row for entry in self.entries})
        return tuple(" ".join(entry.label.text for entry in self.entries if entry.row == row) for row in rows)
