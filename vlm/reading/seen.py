"""A picture after the scene encoder has looked at it: words with their roles, and places in pixels of the picture."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from ..scene_encoder import Scene
from ..scene_heads import RELATIONS, ROLES, UNIT, SceneReader
from ..structure import Box, Colour, Label
from .weights import Vocabulary

SAME = 0.5  # from here on two words share something
ONE = 0.7  # from here on two words are parts of one element ...
SPACE, LEADING = 0.8, 1.0  # ... if no more than so many text heights are between them, side by side or line by line
ONE_LINE = ("tick", "x tick", "legend", "written")  # what stands below such a word is another one
ROLES_OF = {
    "charts": ROLES[:8], "graphs": ("title", "node", "edge"), "tables": ("title", "header", "cell"),
    "parts": ("title", "call-out", "key", "meaning"),
}  # fmt: skip


@dataclass(frozen=True)
class SeenWord:
    """A word, or the lines of one element together."""

    label: Label  # its confidence is that of the role and of the letters
    role: str
    token: int  # which token stands for it


@dataclass(frozen=True)
class Seen:
    """Everything the decoders of the families work with. Lengths with `_px` are pixels of the encoder's input."""

    image: Image.Image
    network: SceneReader
    vocabulary: Vocabulary
    scene: Scene
    scale: float
    words: tuple[SeenWord, ...]
    relations: Tensor  # [N, N, RELATIONS] chances, between tokens

    def of_role(self, *roles: str) -> list[SeenWord]:
        return [word for word in self.words if word.role in roles]

    def title(self) -> Label | None:
        """All that is the title, from top to bottom."""
        return joined(self.of_role("title"))

    def to_picture(self, value: float) -> float:
        """A length in the encoder's input -> in the picture."""
        return value / self.scale

    def related(self, one: SeenWord, two: SeenWord, relation: str) -> float:
        return float(self.relations[one.token, two.token, RELATIONS.index(relation)])

    def centre_px(self, word: SeenWord) -> Tensor:
        """As the network saw it, before it was joined to others or lost a part: what it tells of places starts here."""
        return self.scene.boxes[word.token].unflatten(0, (2, 2)).mean(dim=0)

    def swatch_px(self, word: SeenWord) -> Tensor:
        """Where the colour of a legend entry is."""
        return self.centre_px(word) + UNIT * self.network.words.swatch(self.scene.words[word.token])

    def colour_at(self, x: float, y: float, spread: int = 2) -> Colour:
        """The commonest colour of the picture around a place, in the middle of every channel."""
        left, top = int(min(max(x, 0), self.image.width - 1)), int(min(max(y, 0), self.image.height - 1))
        right, bottom = min(left + spread + 1, self.image.width), min(top + spread + 1, self.image.height)
        box = (max(left - spread, 0), max(top - spread, 0), right, bottom)
        red, green, blue = (sorted(band)[len(band) // 2] for band in zip(*_pixels(self.image.crop(box)), strict=True))
        return Colour(name=None, rgb=(red, green, blue))


def _pixels(image: Image.Image) -> list[tuple[int, int, int]]:
    data = image.tobytes()
    return [(data[i], data[i + 1], data[i + 2]) for i in range(0, len(data), 3)]


def middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def joined(words: list[SeenWord]) -> Label | None:
    """The texts of words one after the other, line by line."""
    if not words:
        return None
    height = min(word.label.box[3] - word.label.box[1] for word in words)
    ordered = sorted(words, key=lambda w: (round(middle(w.label.box)[1] / max(1.0, height)), w.label.box[0]))
    return Label(
        text=" ".join(word.label.text for word in ordered),
        box=around(word.label.box for word in ordered),
        confidence=min(word.label.confidence for word in ordered),
    )


def words_with_roles(
    labels: tuple[Label, ...], network: SceneReader, scene: Scene, family: str = "none"
) -> list[SeenWord]:
    """Every word with the likeliest of the roles that there are in such pictures."""
    own = ROLES_OF.get(family, ROLES)
    logits = network.words.role(scene.words).float()
    logits[:, [role not in own for role in ROLES]] = -torch.inf
    chances = logits.softmax(dim=-1)
    sure, which = chances.max(dim=-1)
    return [
        SeenWord(label.model_copy(update={"confidence": label.confidence * p}), ROLES[role], token)
        for token, (label, p, role) in enumerate(zip(labels, sure.tolist(), which.tolist(), strict=False))
    ]


def merge_elements(words: list[SeenWord], relations: Tensor) -> list[SeenWord]:
    """Lines and pieces that belong to one element become one word; its token is that of the first."""
    element = RELATIONS.index("element")
    groups: list[list[SeenWord]] = []
    for word in words:
        for group in groups:
            if any(
                one.role == word.role
                and relations[one.token, word.token, element] > ONE
                and _near(one.label, word.label, word.role not in ONE_LINE)
                for one in group
            ):
                group.append(word)
                break
        else:
            groups.append([word])
    found = []
    for group in groups:
        label = joined(group)
        assert label is not None
        found.append(SeenWord(label, group[0].role, group[0].token))
    return found


def _near(one: Label, two: Label, in_lines: bool = True) -> bool:
    """Whether two texts follow each other in a line, or (`in_lines`) stand one below the other."""
    height = min(one.box[3] - one.box[1], two.box[3] - two.box[1])
    gap_x = max(one.box[0], two.box[0]) - min(one.box[2], two.box[2])
    gap_y = max(one.box[1], two.box[1]) - min(one.box[3], two.box[3])
    return (gap_y < 0 and gap_x < SPACE * height) or (in_lines and gap_x < 0 and gap_y < LEADING * height)
