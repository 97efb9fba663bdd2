"""What is drawn to be labelled: wholes with seven or eight named parts each, and machines of blocks.

A shape is "r" with two corners (a rectangle), "e" with a centre and two radii (an ellipse), "s" with a centre and two
radii (a star of eight lobes) or "p" with points (a polygon), all in a square of 100 by 100. Later parts lie in front.
"""

from math import cos, pi, sin
from random import Random

from vlm.structure import Point

DRAWINGS: dict[str, dict[str, str]] = {
    "house": {
        "chimney": "r 66 6 78 38", "roof": "p 3 42 50 8 97 42", "wall": "r 14 42 86 94", "door": "r 42 60 59 94",
        "window": "r 20 52 36 68", "step": "r 36 92 65 99", "attic": "e 50 29 7 7", "shed": "r 80 72 100 97",
    },
    "flower": {
        "stem": "r 46 35 54 78", "leaf": "e 32 62 15 7", "bud": "e 70 57 9 11", "blossom": "s 50 26 26 17",
        "center": "e 50 26 9 9", "pot": "p 27 76 73 76 64 96 36 96", "saucer": "r 22 93 78 100",
    },
    "car": {
        "cabin": "p 24 45 36 22 68 22 82 45", "body": "r 4 43 96 72", "window": "p 32 43 40 27 52 27 52 43",
        "door": "r 36 46 58 70", "headlight": "r 86 47 96 57", "bumper": "r 89 62 100 74",
        "front wheel": "e 77 74 11 11", "rear wheel": "e 22 74 11 11",
    },
    "sailboat": {
        "keel": "p 38 84 62 84 56 98 44 98", "rudder": "r 8 74 17 94", "mast": "r 47 6 53 72",
        "flag": "p 53 2 72 8 53 15", "mainsail": "p 55 16 88 66 55 66", "jib": "p 45 20 45 66 18 66",
        "hull": "p 6 70 96 70 82 88 20 88",
    },
    "rocket": {
        "flame": "p 38 84 62 84 50 100", "fins": "p 34 56 14 86 86 86 66 56", "fuselage": "r 34 26 66 80",
        "nose cone": "p 34 26 50 2 66 26", "porthole": "e 50 40 8 8", "hatch": "r 42 54 58 72",
        "nozzle": "r 38 78 62 87",
    },
    "lamp": {
        "bulb": "e 50 36 9 11", "stand": "r 46 40 54 88", "shade": "p 34 6 66 6 82 34 18 34", "base": "e 50 91 24 7",
        "switch": "r 52 54 62 64", "cord": "p 70 88 94 76 96 81 72 94", "plug": "r 88 66 100 78",
    },
    "robot": {
        "antenna": "r 46 2 54 20", "arms": "r 8 44 92 54", "legs": "r 34 76 66 93", "feet": "r 24 90 76 99",
        "body": "r 26 40 74 78", "head": "r 32 14 68 40", "visor": "r 38 20 62 30", "display": "r 36 56 64 70",
    },
    "snowman": {
        "broom": "p 84 20 89 20 92 96 82 96", "belly": "e 50 72 27 26", "face": "e 50 36 17 17", "hat": "r 36 4 64 24",
        "hatband": "r 36 17 64 24", "nose": "p 50 33 76 37 50 41", "scarf": "r 32 46 68 55", "button": "e 50 72 6 6",
    },
    "fish": {
        "tail": "p 28 50 2 24 10 50 2 76", "back fin": "p 34 36 54 12 72 34", "body": "e 56 50 36 24",
        "gill": "r 66 36 71 63", "eye": "e 80 43 6 6", "stripe": "r 40 31 48 69", "belly fin": "p 50 62 40 90 64 66",
    },
    "candlestick": {
        "flame": "p 50 2 59 18 50 26 41 18", "wick": "r 47 22 53 36", "candle": "r 38 32 62 72", "drip": "e 61 42 6 12",
        "socket": "r 34 70 66 80", "dish": "p 12 80 88 80 76 95 24 95", "handle": "e 90 76 9 9",
    },
    "castle": {
        "flagpole": "r 22 2 26 22", "flag": "p 26 2 46 8 26 14", "turret": "p 6 36 24 16 42 36",
        "tower": "r 10 36 38 96", "rampart": "r 36 54 96 96", "battlement": "r 36 46 96 56", "gate": "r 56 70 76 96",
        "drawbridge": "r 52 92 80 100",
    },
    "locomotive": {
        "smokestack": "p 70 10 88 10 84 40 74 40", "boiler": "r 34 38 92 70", "cab": "r 6 18 38 74",
        "window": "r 13 26 30 44", "cowcatcher": "p 90 66 100 92 82 92", "front wheel": "e 74 80 11 11",
        "rear wheel": "e 24 78 14 14", "whistle": "r 50 26 58 40",
    },
    "cup of coffee": {
        "steam": "p 44 4 56 12 48 20 58 30 50 30 40 20 48 12", "handle": "e 80 56 14 14",
        "cup": "p 18 38 80 38 70 82 28 82", "coffee": "e 49 38 31 8", "saucer": "e 50 88 44 9",
        "spoon": "p 70 80 98 70 100 75 72 86", "biscuit": "e 14 82 10 8",
    },
    "ice cream": {
        "wafer": "r 64 4 74 34", "top scoop": "e 50 26 17 15", "middle scoop": "e 38 44 18 15",
        "bottom scoop": "e 62 46 18 15", "cone": "p 26 54 74 54 50 100", "rim": "r 22 50 78 60",
        "cherry": "e 50 10 8 8",
    },
    "guitar": {
        "head": "r 40 2 60 18", "tuning peg": "r 58 6 72 13", "neck": "r 45 16 55 56", "upper body": "e 50 58 19 15",
        "lower body": "e 50 80 27 20", "sound hole": "e 50 68 9 9", "bridge": "r 36 86 64 92",
    },
    "plant cell": {
        "cell wall": "r 4 8 96 94", "membrane": "r 9 13 91 89", "cytoplasm": "r 14 18 86 84",
        "nucleus": "e 34 40 15 15", "nucleolus": "e 34 40 6 6", "vacuole": "e 66 60 17 20",
        "chloroplast": "e 32 72 11 7", "mitochondrion": "e 68 27 12 6",
    },
    "computer": {
        "monitor": "r 12 6 74 58", "screen": "r 18 12 68 50", "stand": "r 38 58 48 72", "base": "r 26 70 60 77",
        "keyboard": "p 12 82 70 82 76 96 6 96", "mouse": "e 86 88 7 9", "speaker": "r 82 26 98 70",
        "webcam": "e 43 5 6 5",
    },
    "tree": {
        "roots": "p 42 84 58 84 80 98 20 98", "trunk": "r 42 46 58 88", "branch": "p 55 66 86 52 88 58 57 74",
        "crown": "s 48 36 34 28", "apple": "e 36 40 6 6", "nest": "e 62 26 9 6", "leaf": "e 92 50 8 5",
    },
    "birthday cake": {
        "plate": "e 50 92 48 7", "bottom layer": "r 14 68 86 90", "filling": "r 14 60 86 69",
        "top layer": "r 22 42 78 61", "icing": "r 20 36 80 46", "candle": "r 46 14 54 38", "flame": "e 50 8 5 8",
    },
    "bicycle": {
        "rear wheel": "e 22 68 20 20", "front wheel": "e 78 68 20 20", "frame": "p 22 66 40 38 68 38 50 72",
        "saddle": "r 30 28 48 36", "handlebar": "r 64 18 84 25", "fork": "p 68 24 74 24 81 66 76 68",
        "pedal": "r 42 78 60 85", "hub": "e 22 68 6 6",
    },
    "windmill": {
        "hill": "e 50 92 50 8", "tower": "p 36 34 64 34 72 92 28 92", "cap": "p 34 36 50 18 66 36",
        "sails": "s 50 30 30 7", "axle": "e 50 30 5 5", "door": "r 43 74 57 92", "window": "e 50 60 6 7",
    },
    "airplane": {
        "tail fin": "p 4 12 18 12 30 42 10 42", "fuselage": "e 52 50 46 14", "cockpit": "e 86 46 9 6",
        "wing": "p 40 52 62 52 46 90 32 90", "engine": "r 50 70 68 80", "door": "r 66 42 74 58",
        "elevator": "p 6 46 26 46 16 58 0 58", "wheel": "e 72 70 6 6",
    },
    "submarine": {
        "periscope": "r 50 4 57 28", "conning tower": "r 40 24 66 44", "hull": "e 54 60 42 21",
        "porthole": "e 66 58 7 7", "propeller": "r 2 46 9 76", "rudder": "p 10 36 24 36 24 56 16 56",
        "hatch": "r 26 50 40 64",
    },
    "volcano": {
        "smoke": "e 62 10 20 9", "crust": "r 0 74 100 84", "mantle": "r 0 84 100 100",
        "mountain": "p 4 76 38 28 62 28 96 76", "vent": "r 46 32 54 84", "crater": "e 50 29 14 5",
        "magma chamber": "e 50 88 24 9", "lava": "p 56 30 64 30 84 68 74 66",
    },
}  # fmt: skip
MACHINE = "machine"
MACHINE_PARTS = (
    "pump", "tank", "motor", "valve", "filter", "fan", "gauge", "heater", "cooler", "mixer", "turbine", "generator",
    "sensor", "relay", "radiator", "condenser", "gearbox", "injector", "furnace", "hopper", "conveyor", "compressor",
)  # fmt: skip
MACHINES = 0.3  # share of the pictures


def parse(shape: str) -> tuple[Point, ...]:
    """The corners of a shape; curves as short lines."""
    kind, *rest = shape.split()
    numbers = list(map(float, rest))
    if kind == "p":
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))
    a, b, c, d = numbers
    if kind == "r":
        return (a, b), (c, b), (c, d), (a, d)
    if kind == "e":
        return tuple((a + c * cos(turn * pi / 14), b + d * sin(turn * pi / 14)) for turn in range(28))
    radii = [c if turn % 4 in (0, 1) else d for turn in range(32)]  # lobes with flat tips
    return tuple((a + r * cos(turn * pi / 16), b + r * sin(turn * pi / 16)) for turn, r in enumerate(radii))


def machine(rng: Random) -> dict[str, str]:
    """Seven or eight blocks with names drawn at random, each in a cell of its own."""
    number = rng.randint(7, 8)
    cells = rng.sample([(column, row) for column in range(3) for row in range(3)], number)
    blocks = {}
    for name, (column, row) in zip(rng.sample(MACHINE_PARTS, number), cells, strict=True):
        x, y = 17 + 33 * column, 17 + 33 * row
        w, h = rng.uniform(8, 15), rng.uniform(8, 15)
        left, right, top, bottom = x - w, x + w, y - h, y + h
        a, b = x - w / 2, x + w / 2
        blocks[name] = rng.choice((
            f"r {left} {top} {right} {bottom}",
            f"e {x} {y} {w} {h}",
            f"p {left} {y} {a} {top} {b} {top} {right} {y} {b} {bottom} {a} {bottom}",
            f"p {left} {top} {right} {top} {b} {bottom} {a} {bottom}",
            f"p {x} {top} {right} {y} {x} {bottom} {left} {y}",
        ))  # fmt: skip
    return blocks
