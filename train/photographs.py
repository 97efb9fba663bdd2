"""Conversations about pictures without a structure, named by the classifier: how photographs are talked about.

There are no photographs to train on. What is learnt is how far to trust a hint: textures stand for the picture, classes
of ImageNet, drawn by chance, for what `vlm.objects` would have found.
"""

from random import Random

from vlm.objects import NamedObject, class_names
from vlm.perception import Perceived, with_hints
from vlm.structure import Reading
from vlm.structure.wording import with_article

from .data_engine import Split
from .seeing.nothing import draw_nothing

MAIN = (
    "What is the main thing in this picture?", "What is this?", "What does the picture show?", "What is in this photo?",
    "What do you see?", "Describe the picture.", "What is the main object?", "Which thing is shown?",
)  # fmt: skip
IS_IT = ("Is there a {} in the picture?", "Does the photo show a {}?", "Is this a {}?", "Do you see a {}?")
UNKNOWN = (
    "What is the title?", "What is the highest value?", "How many bars are there?", "What does the text say?",
    "Which box comes after the first one?", "What is the label on the left?", "Who is this?", "What does it cost?",
)  # fmt: skip
CANNOT = "it cannot be told from the picture"
NAMELESS = 0.25  # the share of pictures in which nothing is recognized


class PhotographSource:
    """A picture with what the classifier says of it, and questions about that."""

    def __init__(self, split: Split = "train", seed: int = 0):
        self.split, self.seed, self.names = split, seed, class_names()

    def conversations(self, index: int) -> list[list[dict]]:
        rng = Random(f"photographs/{self.split}/{self.seed}/{index}")
        image = draw_nothing(rng)
        chances = sorted((rng.uniform(0.08, 0.95), rng.uniform(0.05, 0.3), rng.uniform(0.02, 0.15)), reverse=True)
        names = rng.sample(self.names, 4)
        objects = tuple(
            NamedObject(name, chance) for name, chance in zip(names, chances, strict=False) if chance >= 0.08
        )
        if rng.random() < NAMELESS:
            objects = ()
        seen = Perceived(Reading(family="none", confidence=1.0, structure=None, words=()), objects)
        asked = self._about_nameless(names, rng) if not objects else self._about_named(names, rng)
        return [self._conversation(image, seen, *one, rng) for one in asked]

    def _about_named(self, names: list[str], rng: Random) -> list[tuple[str, str, str]]:
        return [
            *((question, names[0], f"This looks like {with_article(names[0])}.") for question in rng.sample(MAIN, 3)),
            (rng.choice(IS_IT).format(names[0]), "yes", f"Yes, it looks like {with_article(names[0])}."),
            (rng.choice(IS_IT).format(names[3]), "no", f"No, it looks more like {with_article(names[0])}."),
            *((question, CANNOT, f"{CANNOT.capitalize()}.") for question in rng.sample(UNKNOWN, 1)),
        ]

    def _about_nameless(self, names: list[str], rng: Random) -> list[tuple[str, str, str]]:
        """Nothing is made up of what is not recognized."""
        asked = [*rng.sample(MAIN, 3), rng.choice(IS_IT).format(names[0]), *rng.sample(UNKNOWN, 2)]
        return [(question, CANNOT, f"{CANNOT.capitalize()}.") for question in asked]

    def _conversation(
        self, image, seen: Perceived, question: str, answer: str, sentence: str, rng: Random
    ) -> list[dict]:
        brief = rng.random() < 0.6
        content = [
            {"type": "image", "image": image},
            {"type": "text", "text": f"{question} Answer briefly." if brief else question},
        ]
        messages = [{"role": "user", "content": content}]
        return [
            *with_hints(messages, lambda _: seen, len),
            {"role": "assistant", "content": answer if brief else sentence},
        ]
