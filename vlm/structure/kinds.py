"""What things in pictures are called: their kinds by category, other names for them, and how several are called.

The kinds are those that the scene encoder tells apart (`vlm/reading`): of what a question names it can be known that
there is none.
"""

import re
from functools import cache

from .colours import SHADES

SHAPES = (  # that people ask after even where there is none
    "circle", "square", "rectangle", "triangle", "star", "pentagon", "hexagon", "oval", "diamond", "cross", "heart",
    "ring",
)  # fmt: skip
# Within these nobody would argue about what belongs to which.
CATEGORIES = {
    "animal": (
        "dog, cat, mouse, cow, pig, horse, sheep, goat, rabbit, elephant, lion, tiger, monkey, bear, fox, wolf, "
        "deer, giraffe, zebra, kangaroo, camel, squirrel, hedgehog, bat, frog, turtle, crocodile, snake, "
        "lizard, dinosaur, whale, dolphin, octopus, crab, fish, snail, butterfly, bee, ant, ladybug, spider, "
        "duck, chicken, penguin, owl, parrot, flamingo, swan"
    ),
    "piece of food": (
        "apple, pear, lemon, banana, pineapple, strawberry, coconut, watermelon, bunch of grapes, avocado, "
        "tomato, eggplant, carrot, corn cob, broccoli, onion, chili pepper, loaf of bread, baguette, croissant, "
        "pretzel, piece of cheese, egg, hamburger, pizza, hot dog, taco, sandwich, doughnut, cookie, cake, pie, "
        "cupcake, ice cream, chocolate bar, lollipop, waffle"
    ),
    "vehicle": (
        "car, bus, truck, tractor, train, bicycle, motorcycle, scooter, airplane, helicopter, rocket, ship, "
        "sailboat, canoe, speedboat, sled, ambulance"
    ),
    "building": (
        "house, hospital, school, factory, castle, hotel, bank, hut, church, mosque, stadium, temple, shop"
    ),
    "piece of clothing": (
        "T-shirt, dress, coat, scarf, hat, shoe, boot, sandal, swimsuit, kimono, vest, helmet, pair of jeans, "
        "pair of gloves, pair of socks, pair of shorts"
    ),
    "musical instrument": (
        "guitar, violin, trumpet, saxophone, piano, drum, accordion, banjo, horn, pair of maracas, flute"
    ),
    "tool": (
        "hammer, wrench, screwdriver, saw, axe, ladder, pickaxe, clamp, pair of scissors, paintbrush, broom, "
        "plunger"
    ),
    "electronic device": (
        "phone, camera, television, radio, computer, printer, keyboard, joystick, game controller, microphone, "
        "pair of headphones, flashlight, robot, satellite dish"
    ),
    "piece of sports equipment": (
        "soccer ball, basketball, baseball, volleyball, racket, ice skate, roller skate, skateboard, boxing "
        "glove, hockey stick, frisbee, dartboard, diving mask"
    ),
    "plant": (
        "tree, cactus, rose, tulip, sunflower, clover, maple leaf, seedling, lotus, potted plant, bouquet of "
        "flowers"
    ),
}  # fmt: skip
OTHERS = (
    "chair, bed, sofa, toilet, bathtub, mirror, window, door, candle, clock, key, lock, basket, teapot, cup, "
    "spoon, umbrella, toothbrush, vase, book, envelope, gift, wine glass, crown, ring, bell, balloon, kite, "
    "puzzle piece, anchor, trophy, backpack, briefcase, shopping cart, tent, magnet, light bulb, pair of "
    "glasses, sun, cloud, snowflake, snowman, rainbow, tornado, lightning bolt, star, moon, volcano, mountain, "
    "wave, flame, drop of water, feather"
)  # fmt: skip
# other names that people use for a kind
SYNONYMS: dict[str, tuple[str, ...]] = {
    "car": ("automobile",), "airplane": ("plane", "aeroplane"), "bicycle": ("bike",), "motorcycle": ("motorbike",),
    "truck": ("lorry",), "television": ("TV",), "phone": ("telephone",), "sofa": ("couch",), "doughnut": ("donut",),
    "hamburger": ("burger",), "flashlight": ("torch",), "soccer ball": ("football",), "gift": ("present",),
    "eggplant": ("aubergine",), "cookie": ("biscuit",), "rabbit": ("bunny",),
    "pair of glasses": ("pair of spectacles",), "ladybug": ("ladybird",), "wrench": ("spanner",), "sled": ("sledge",),
    "game controller": ("gamepad",), "shop": ("store",), "cup": ("mug",), "corn cob": ("ear of corn",),
    "light bulb": ("bulb",),
}  # fmt: skip
PLURALS = {  # that follow no rule
    "knife": "knives", "leaf": "leaves", "loaf": "loaves", "scarf": "scarves", "wolf": "wolves", "mouse": "mice",
    "sheep": "sheep", "fish": "fish", "deer": "deer", "potato": "potatoes", "tomato": "tomatoes",
}  # fmt: skip
CATEGORY_OF = {kind: category for category, kinds in CATEGORIES.items() for kind in kinds.split(", ")}
KINDS = tuple(dict.fromkeys((*SHAPES, *CATEGORY_OF, *OTHERS.split(", "))))
AMBIGUOUS = frozenset(("present",))  # "is a cat present?"


@cache
def nouns() -> tuple[re.Pattern[str], dict[str, tuple[str, str]]]:
    """A pattern whose groups are a colour, perhaps, and a noun in any form; and for every form, in small letters, the
    kind or category that it means and the noun itself: "couches" -> ("sofa", "couch").
    """
    meant: dict[str, tuple[str, str]] = {}
    for name in (*KINDS, *CATEGORIES):
        short = name.partition(" of ")[2]  # "glasses" for "pair of glasses", "food" for "piece of food"
        for noun in (name, *SYNONYMS.get(name, ()), *([short] if short else [])):
            for form in (noun, *_plurals(noun)):
                if form not in AMBIGUOUS:
                    meant.setdefault(form.casefold(), (name, noun))
    either = "|".join(re.escape(form) for form in sorted(meant, key=len, reverse=True))
    return re.compile(rf"\b(?:({'|'.join(SHADES)}) )?({either})\b", re.IGNORECASE), meant


def plural(noun: str) -> str:
    """ "loaf of bread" -> "loaves of bread" """
    head, of, rest = noun.partition(" of ")
    before, space, last = head.rpartition(" ")
    if last in PLURALS:
        last = PLURALS[last]
    elif last[-1] == "y" and last[-2] not in "aeiou":
        last = f"{last[:-1]}ies"
    else:
        last += "es" if last.endswith(("s", "x", "ch", "sh")) else "s"
    return f"{before}{space}{last}{of}{rest}"


def _plurals(noun: str) -> tuple[str, ...]:
    """The plural, and what else people write for it: "couchs"."""
    return plural(noun), f"{noun}s", f"{noun}es"
