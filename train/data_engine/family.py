"""What a family of drawn pictures is: a typed truth, a picture of it, and questions computed from the truth alone."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from random import Random
from typing import Literal, Protocol, TypeVar

from PIL import Image

from vlm.structure import Structure

Split = Literal["train", "test"]
Truth = TypeVar("Truth", bound=Structure)
Option = TypeVar("Option", bound=str)


def pick_for(split: Split, options: Iterable[Option], held_out: Set[str], rng: Random) -> Option:
    """One of the options; training never sees what is held out, and half of the test pictures show it."""
    tested = split == "test" and rng.random() < 0.5
    return rng.choice([option for option in options if (option in held_out) == tested])


@dataclass(frozen=True)
class Question:
    """One question about a picture, with its answer in the two forms that people ask for."""

    type: str  # what it is about: "shape", "count", ...; scores are reported per type
    text: str
    answer: str  # as short as can be: "red", "yes", "3"; what is written in the picture as it is written there
    sentence: str  # the same as a whole sentence: "The triangle is red."
    elements: tuple[str, ...] = ()  # what a description has to name to be complete; empty for every other type

    @property
    def is_yes_no(self) -> bool:
        return self.answer in ("yes", "no")


@dataclass(frozen=True)
class Sample:
    """A drawn picture with the truth that it was drawn from."""

    image: Image.Image  # RGB
    truth: Structure
    questions: tuple[Question, ...]


class Family(Protocol[Truth]):
    """One kind of pictures. All chance comes from the `rng` handed in, so a seed gives the same sample anywhere."""

    name: str

    def sample(self, rng: Random, split: Split) -> Truth: ...

    def render(self, truth: Truth, rng: Random) -> Image.Image: ...

    def ask(self, truth: Truth, rng: Random) -> list[Question]: ...
