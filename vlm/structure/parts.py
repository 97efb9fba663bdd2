"""Labelled drawings: the parts of something, and call-outs that point to them."""

from pydantic import Field, model_validator

from .base import Element, Label, Point
from .scene import Scene, Thing

PART = "part"  # the kind of one that has no known name


def is_name(label: str) -> bool:
    """Whether a label is a name, and not a letter or a number."""
    return len(label) > 1 and not label.isdigit()


class CallOut(Element):
    """A label with the line that leads from it to a part."""

    label: Label  # "A", "3", "roof"
    part: int = Field(ge=0)  # which of the things it points to
    route: tuple[Point, ...] = Field(min_length=2)  # the corners of the line, from the label on
    key: Label | None  # the label as it is repeated in the legend; None where there is no legend
    meaning: Label | None  # what the legend says of it

    @property
    def target(self) -> Point:
        """Where the line ends: on the part."""
        return self.route[-1]


class Parts(Scene):
    """A drawing whose things are the parts of one whole, later ones in front, some of them with call-outs."""

    subject: str | None  # what the whole is: "house"
    title: Label | None
    call_outs: tuple[CallOut, ...] = Field(min_length=1)

    @property
    def labels(self) -> tuple[Label, ...]:
        """Everything that is written."""
        written = [self.title, *(one.label for one in self.call_outs)]
        written += [label for one in self.call_outs for label in (one.key, one.meaning)]
        return tuple(label for label in written if label)

    def part(self, call_out: CallOut) -> Thing:
        return self.things[call_out.part]

    @model_validator(mode="after")
    def _call_outs_point_to_parts(self) -> "Parts":
        for one in self.call_outs:
            if one.part >= len(self.things):
                raise ValueError(
                    f"{one.label.text!r} points to part {one.part}, but there are {len(self.things)} parts"
                )
        return self
