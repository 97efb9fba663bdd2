"""What can be read off a table: names of rows and columns, values as numbers, what is missing."""

import re
from decimal import Decimal

from vlm.structure import Structure, Table

from .tables_contents import MISSING
from .tables_words import CURRENCIES, OVER_TIME, PERIODS, TOPIC_OF, Measure

NUMBER = re.compile(rf"(?P<before>[{CURRENCIES}]?)(?P<digits>[+-]?[\d,]*\d(?:\.\d+)?)(?P<after>.*)")
TIMES = {period for periods in PERIODS for period in periods}
SINGULAR = frozenset({"maths", "status", "mass"})  # nouns that end like a plural


class Quantity(Structure):
    """A number with what is written around it."""

    before: str
    value: Decimal
    after: str

    @staticmethod
    def parse(text: str) -> "Quantity | None":
        found = NUMBER.fullmatch(text)
        if not found:
            return None
        return Quantity(before=found["before"], value=Decimal(found["digits"].replace(",", "")), after=found["after"])

    def write(self, value: Decimal, separator: str) -> str:
        """Another number in the same manner."""
        return f"{self.before}{value:{separator}f}{self.after}"


class Facts:
    """A table seen as rows with names and columns with nouns; the row of sums is not one of the rows."""

    def __init__(self, table: Table):
        self.title = table.title.text if table.title else None
        self.header, *rows = table.strings
        self.total = rows.pop() if table.total_row else None
        self.rows = rows
        self.names = [row[0] for row in rows]
        self.noun = self.header[0].lower()  # "product"
        self.topic = TOPIC_OF[self.header[0]]
        self.separator = "," if any(re.search(r"\d,\d{3}", text) for row in rows for text in row) else ""

    @property
    def columns(self) -> range:
        """All but the first, which holds the names."""
        return range(1, len(self.header))

    def subject(self, column: int) -> str:
        """How a column is called in a sentence: "price", "value for 2021"."""
        return subject(self.header[column].split(" (")[0])

    def measure(self, column: int) -> Measure | None:
        """What kind of numbers a column holds; None for words and dates."""
        name = self.header[column].split(" (")[0]
        if name in TIMES:
            return OVER_TIME[self.header[0]][0]
        (found,) = (one for one in self.topic.columns if one.name == name)
        return found if isinstance(found, Measure) else None

    def said(self, text: str, column: int) -> str:
        """A value with the unit that only its heading gives."""
        _, bracket, unit = self.header[column].partition(" (")
        if not bracket:
            return text
        unit = unit.removesuffix(")")
        return f"{unit}{text}" if unit in CURRENCIES else f"{text}{unit}" if unit == "%" else f"{text} {unit}"

    def given(self, column: int) -> list[int]:
        """The rows with a value in this column."""
        return [number for number, row in enumerate(self.rows) if row[column] not in MISSING]

    def quantities(self, column: int) -> dict[int, Quantity]:
        """The numbers of a column by row; none for a column of words."""
        if self.measure(column) is None:
            return {}
        found = {row: Quantity.parse(self.rows[row][column]) for row in self.given(column)}
        return {row: quantity for row, quantity in found.items() if quantity}


def subject(name: str) -> str:
    """The noun for a column with this heading: "Price" -> "price", "Hours" -> "number of hours"."""
    if name in TIMES:
        return f"value for {name}"
    noun = name.lower()
    return f"number of {noun}" if noun.endswith("s") and noun not in SINGULAR else noun
