"""Graphs drawn by Graphviz: dot, neato, circo and fdp."""

import shlex
import subprocess
from dataclasses import dataclass
from io import BytesIO
from random import Random

from PIL import Image

from vlm.structure import Point as XY

from .graph_skeletons import SKELETONS, Skeleton
from .truth import GraphTruth

# Every kind of graph with the layouts that people use for it: (skeleton, engine, rankdir).
FORMS = (
    ("flow", "dot", "TB"), ("network", "neato", ""), ("tree", "dot", "TB"), ("flow", "dot", "TB"),
    ("cycle", "circo", ""), ("layers", "dot", "LR"), ("network", "fdp", ""), ("flow", "dot", "LR"),
    ("tree", "dot", "LR"), ("network", "circo", ""), ("layers", "dot", "TB"), ("network", "neato", ""),
    ("cycle", "neato", ""), ("flow", "dot", "TB"), ("network", "dot", "TB"),
)  # fmt: skip
FONTS = ("DejaVu Sans", "DejaVu Serif", "Liberation Sans", "Liberation Serif", "Liberation Sans")
FILLS = ("white", "white", "lightblue", "lightyellow", "#e8f0fe", "#d5e8d4", "#ffe6cc", "lightgrey", "#f8cecc")
DPI, NEAR = 96, 0.02  # NEAR in inches
SMALLEST, LARGEST = (230, 470), (1000, 950)  # (shorter, longer side), (width, height) in pixels


@dataclass(frozen=True)
class DrawnGraph:
    image: Image.Image
    truth: GraphTruth
    style: str
    topic: str
    dot: str  # what Graphviz was given


def draw(form: tuple[str, str, str], rng: Random) -> DrawnGraph:
    """A graph of this form; drawn anew until it has the size that people would give it, and no line crosses a box."""
    kind, engine, rankdir = form
    while True:
        skeleton = SKELETONS[kind](rng)
        dot = source(skeleton, engine, rankdir, rng)
        if is_readable(run(engine, dot, "plain").decode()):
            image = Image.open(BytesIO(run(engine, dot, "png"))).convert("RGB")
            return DrawnGraph(image, skeleton.truth, f"{engine} {rankdir}".strip(), skeleton.topic, dot)


def run(engine: str, dot: str, form: str) -> bytes:
    """What Graphviz makes of a graph: "png", or "plain" for the places as text, in inches."""
    return subprocess.run([engine, f"-T{form}"], input=dot.encode(), capture_output=True, check=True).stdout


def is_readable(plain: str) -> bool:
    """Whether the picture has a good size, and no line comes near a box that it does not join."""
    boxes: dict[str, list[float]] = {}
    for line in plain.replace("\\\n", "").splitlines():
        words = shlex.split(line)
        if words[0] == "graph":
            shorter, longer = sorted(sides := [DPI * float(word) for word in words[2:4]])
            if shorter < SMALLEST[0] or longer < SMALLEST[1] or sides[0] > LARGEST[0] or sides[1] > LARGEST[1]:
                return False
        elif words[0] == "node":
            boxes[words[1]] = [float(word) for word in words[2:6]]
        elif words[0] == "edge":
            numbers = [float(word) for word in words[4 : 4 + 2 * int(words[3])]]
            route = _along(list(zip(numbers[::2], numbers[1::2], strict=True)))
            others = [box for name, box in boxes.items() if name not in words[1:3]]
            if any(_is_near(point, box) for point in route for box in others):
                return False
    return True


def _along(controls: list[XY]) -> list[XY]:
    """Points along a curve of cubic Bezier pieces."""
    found = []
    for (ax, ay), (bx, by), (cx, cy), (dx, dy) in (controls[i : i + 4] for i in range(0, len(controls) - 3, 3)):
        for step in range(21):
            t = step / 20
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            found.append((a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy))
    return found


def _is_near(point: XY, box: list[float]) -> bool:
    x, y, width, height = box
    return abs(point[0] - x) < width / 2 + NEAR and abs(point[1] - y) < height / 2 + NEAR


def source(skeleton: Skeleton, engine: str, rankdir: str, rng: Random) -> str:
    """The graph in Graphviz' language."""
    truth, size = skeleton.truth, rng.choice((10, 11, 12))
    font = f'fontname="{rng.choice(FONTS)}" fontsize={size}'
    shape, style = rng.choice((("box", "filled"), ("box", "rounded,filled"), ("ellipse", "filled"), ("box", "filled")))
    fill, step_fill, ink = rng.choice(FILLS), rng.choice(FILLS), rng.choice(("black", "black", "gray30", "navy"))
    splines = rng.choice(("true", "true", "polyline") if engine == "dot" else ("true", "line"))
    head = rng.choice(("normal", "normal", "vee", "open"))
    lines = [
        f"{'digraph' if truth.directed else 'graph'} {{",
        f"graph [{font} dpi={DPI} pad=0.2 splines={splines} {_layout(engine, rankdir, rng)}"
        + (f' label="{truth.title}" labelloc=t]' if truth.title else "]"),
        f'node [{font} shape={shape} style="{style}" fillcolor="{fill}" color={ink}]',
        f"edge [{font} color={ink} len={rng.uniform(1.5, 2.2):.2f} arrowhead={head}]",
    ]
    for i, text in enumerate(truth.nodes):
        look = ""
        if i in truth.decisions:
            look = f' shape=diamond style=filled fillcolor="{step_fill}"'
        elif i in skeleton.ends:
            look = " shape=oval style=filled"
        lines.append(f'n{i} [label="{_wrapped(text, 12 if i in truth.decisions else 16)}"{look}]')
    arrow = "->" if truth.directed else "--"
    for (one, other), label in zip(truth.edges, truth.edge_labels, strict=True):
        lines.append(f"n{one} {arrow} n{other}" + (f' [label=" {label} "]' if label else ""))
    return "\n".join([*lines, "}", ""])


def _layout(engine: str, rankdir: str, rng: Random) -> str:
    """How far apart boxes are; a fixed start where chance would have a part."""
    if engine == "dot":
        return f"rankdir={rankdir} nodesep={rng.uniform(0.3, 0.7):.2f} ranksep={rng.uniform(0.35, 0.7):.2f}"
    if engine == "circo":
        return f"mindist={rng.uniform(0.8, 1.3):.2f}"
    start = f"start={rng.randrange(1000)} overlap=false sep=0.25"
    return f"{start} K={rng.uniform(0.9, 1.4):.2f}" if engine == "fdp" else start


def _wrapped(text: str, width: int) -> str:
    r"""The text on several lines where it is long, joined by Graphviz' \n."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\\n".join(lines)
