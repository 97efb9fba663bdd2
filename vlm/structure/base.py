"""What every structure shares: frozen models, points, boxes, colours, and the words that can be read."""

from pydantic import BaseModel, ConfigDict, Field

Point = tuple[float, float]  # (x, y)
Box = tuple[float, float, float, float]  # (left, top, right, bottom)
SURE = 0.5  # a confidence below this is told to whoever looks


class Structure(BaseModel):
    """Base of every typed truth: frozen, and no field passes unread."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Element(Structure):
    """Something that is there to be seen."""

    confidence: float = Field(default=1.0, ge=0, le=1)  # how sure it is; of what was drawn, certain

    @property
    def is_sure(self) -> bool:
        return self.confidence >= SURE


class Label(Element):
    """Text that stands in the picture, on one line or several, and the smallest upright box around its ink."""

    text: str
    box: Box


class Colour(Structure):
    """How something is coloured; `name` is None where people would not agree on one."""

    name: str | None
    rgb: tuple[int, int, int]
