"""Scenes: things with a kind, a colour, a size and a place."""

from typing import Literal

from pydantic import Field, model_validator

from .base import Box, Element, Point, Structure

Size = Literal["small", "medium", "large"]


class Thing(Element):
    """One thing in a scene: what it is, what it looks like, and where its edge runs."""

    kind: str  # "circle"
    colour: str  # "red"
    size: Size  # for its picture
    outline: tuple[Point, ...] = Field(min_length=3)  # the corners of its edge, in order; curves as short lines

    @property
    def box(self) -> Box:
        """The smallest upright box around the outline."""
        xs, ys = zip(*self.outline, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def centre(self) -> Point:
        """The middle of the box."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2

    @property
    def longer_side(self) -> float:
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)

    @property
    def shorter_side(self) -> float:
        left, top, right, bottom = self.box
        return min(right - left, bottom - top)

    @property
    def area(self) -> float:
        """What the outline encloses, in square pixels (the shoelace formula)."""
        following = self.outline[1:] + self.outline[:1]
        return abs(sum(x * v - u * y for (x, y), (u, v) in zip(self.outline, following, strict=True))) / 2


class Scene(Structure):
    """Things on a background, later things in front of earlier ones."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    background: str | None  # the name of its one colour; None where one word would not do (gradients, textures, tints)
    things: tuple[Thing, ...]

    @model_validator(mode="after")
    def _things_are_inside(self) -> "Scene":
        for thing in self.things:
            left, top, right, bottom = thing.box
            if left < 0 or top < 0 or right > self.width or bottom > self.height:
                raise ValueError(
                    f"the {thing.colour} {thing.kind} reaches from ({left}, {top}) to ({right}, {bottom}),"
                    f" outside its picture of {self.width}x{self.height} pixels"
                )
        return self
