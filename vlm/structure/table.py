"""Tables: a heading for every column, and rows of cells."""

from pydantic import Field, model_validator

from .base import Box, Element, Label, Structure


class Cell(Element):
    """One place of a table, with what is written there."""

    label: Label | None  # None where nothing is written
    box: Box  # of the whole cell, not of its ink

    @property
    def text(self) -> str:
        return self.label.text if self.label else ""


class Table(Structure):
    """A table with one row of headings; every row has a cell for every column, written in or not."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    title: Label | None
    header: tuple[Cell, ...] = Field(min_length=1)
    rows: tuple[tuple[Cell, ...], ...]  # below the header, from top to bottom
    header_column: bool  # whether the first column is set off, as headings of the rows
    total_row: bool  # whether the last row sums up the others

    @property
    def strings(self) -> tuple[tuple[str, ...], ...]:
        """What is written, row by row from the headings on, as for a CSV file."""
        return tuple(tuple(cell.text for cell in row) for row in (self.header, *self.rows))

    @property
    def labels(self) -> tuple[Label, ...]:
        """Everything that is written, in reading order; the title first."""
        cells = (cell.label for row in (self.header, *self.rows) for cell in row)
        return tuple(label for label in (self.title, *cells) if label)

    @model_validator(mode="after")
    def _rows_are_as_long_as_the_header(self) -> "Table":
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.header):
                raise ValueError(f"row {number} has {len(row)} cells, but there are {len(self.header)} headings")
        return self
