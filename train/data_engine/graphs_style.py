"""How node-link pictures look: layouts, letters, shapes, colours, lines and arrow heads."""

from random import Random
from typing import Literal

from vlm.structure import Colour, Graph, NodeShape, Structure

from .colours import NAMES, RGB, distance, mixed, pick
from .family import Split, pick_for
from .graphs_contents import Contents
from .graphs_words import Kind
from .held_out import HELD_OUT
from .lettering import bold, pick_font
from .tables_layout import PALETTES

Direction = Literal["down", "right", "up", "left"]
Form = Literal["straight", "orthogonal", "rounded", "curved"]
Head = Literal["filled", "notched", "open", "hollow", "slim"]

# For every kind the ways it may flow; flowing up or left only the test split does.
DIRECTIONS: dict[Kind, tuple[Direction, ...]] = {
    "flow": ("down", "down", "right", "up"),
    "layers": ("down", "right", "right", "left"),
    "tree": ("down", "down", "right", "up", "left"),
    "cycle": ("right", "left"),  # clockwise or not
    "ring": ("right",),
    "grid": ("down", "right"),
}
FORMS: dict[Kind, tuple[Form, ...]] = {
    "flow": ("orthogonal", "orthogonal", "rounded", "curved"),
    "layers": ("straight", "orthogonal", "rounded", "curved", "curved"),
    "tree": ("straight", "orthogonal", "orthogonal", "rounded", "curved"),
    "cycle": ("straight", "curved"),
    "ring": ("straight", "straight", "curved"),
    "grid": ("straight", "straight", "curved"),
}
HEADS: tuple[Head, ...] = ("filled", "notched", "open", "slim", "hollow")
SHAPES: tuple[NodeShape, ...] = ("rectangle", "rounded rectangle", "oval", "circle", "hexagon", "parallelogram")
FILLS = ("page", "tint", "accent", "one", "role", "each", "each")


class GraphStyle(Structure):
    """What drawing needs beyond the places in the truth."""

    font: str
    size: int  # pixels per em
    title_font: str
    title_size: int
    link_size: int
    palette: str
    page: RGB
    ink: RGB
    title_ink: RGB
    line: RGB  # of the arrows
    edge: RGB | None  # of the boxes
    edge_width: int
    line_width: float
    dashes: tuple[int, ...]  # of each edge: length in pixels, 0 for a solid one
    head: Head
    head_size: float
    direction: Direction
    form: Form
    spacing: float  # between boxes, of the usual
    same_width: bool  # whether all boxes of a shape are as wide as the widest
    text_width: float  # at which text wraps, in pixels
    shapes: tuple[NodeShape, ...]  # of each box
    fills: tuple[Colour, ...]


class DrawnGraph(Graph):
    """A graph with its looks, and what it is about."""

    kind: Kind
    topic: str
    style: GraphStyle


def pick_style(contents: Contents, rng: Random, split: Split, tries: int) -> GraphStyle:
    """Smaller and closer after many tries that left no room."""
    font = pick_font(rng, split)
    size = max(9, rng.choice((10, 11, 12, 13, 14, 15, 16)) - tries // 2)
    palette = pick_for(split, PALETTES, HELD_OUT.palettes, rng)
    page, ink, accent = PALETTES[palette]
    ways = DIRECTIONS[contents.kind]
    held_out = HELD_OUT.graph_directions.intersection(ways)
    fills = _fills(contents, page, ink, accent, rng)
    faint = min(distance(fill.rgb, page) for fill in fills) < 90
    edge = rng.choice((ink, ink, accent if distance(accent, page) > 200 else ink, mixed(page, ink, 0.6)))
    dash = rng.choice((3, 4, 5, 6)) if rng.random() < 0.25 else 0
    all_dashed = rng.random() < 0.5
    return GraphStyle(
        font=font, size=size, title_font=rng.choice((bold(font), font)),
        title_size=min(22, round(size * rng.uniform(1.1, 1.6))), link_size=max(9, size - rng.choice((0, 1, 2))),
        palette=palette, page=page, ink=ink, title_ink=ink, line=mixed(page, ink, rng.uniform(0.6, 1.0)),
        edge=edge if faint or rng.random() < 0.6 else None, edge_width=rng.choice((1, 1, 2)),
        line_width=rng.choice((1, 1, 1.5, 2)),
        dashes=tuple(dash if all_dashed or rng.random() < 0.4 else 0 for _ in contents.links),
        head=pick_for(split, HEADS, HELD_OUT.graph_heads, rng), head_size=rng.uniform(6, 9),
        direction=pick_for(split, ways, held_out, rng) if held_out else rng.choice(ways),
        form=rng.choice(FORMS[contents.kind]), spacing=max(0.7, rng.uniform(0.8, 1.6) - 0.03 * tries),
        same_width=rng.random() < 0.4, text_width=size * rng.choice((4.5, 6, 8, 11)), shapes=_shapes(contents, rng),
        fills=fills,
    )  # fmt: skip


def _shapes(contents: Contents, rng: Random) -> tuple[NodeShape, ...]:
    """Decisions are diamonds, and nothing else is; the rest are all alike or of two kinds."""
    usual: NodeShape
    usual, other = rng.sample(SHAPES, 2)
    ends = rng.choice((usual, *SHAPES[1:3]))
    several = rng.random() < 0.3
    of_step = [other if several and rng.random() < 0.4 else usual for _ in contents.roles]
    return tuple(
        "diamond" if role == "decision" else ends if role in ("start", "end") else shape
        for role, shape in zip(contents.roles, of_step, strict=True)
    )


def _fills(contents: Contents, page: RGB, ink: RGB, accent: RGB, rng: Random) -> tuple[Colour, ...]:
    """No colour with a name is close to the page."""
    way = rng.choice(FILLS)
    if way in ("page", "tint", "accent"):
        accent = accent if distance(page, accent) > 150 else ink
        rgb = {"page": page, "tint": mixed(page, accent, rng.uniform(0.08, 0.3)), "accent": accent}[way]
        return (Colour(name=None, rgb=rgb),) * len(contents.roles)
    named = [Colour(name=name, rgb=pick(name, rng)) for name in rng.sample(NAMES, len(NAMES))]
    free = [colour for colour in named if distance(colour.rgb, page) > 110]
    if way == "one":
        return (free[0],) * len(contents.roles)
    if way == "role":
        of_role = dict(zip(("step", "decision", "start", "end"), free, strict=False))
        return tuple(of_role[role] for role in contents.roles)
    few = free[: rng.randint(2, 6)]
    return tuple(rng.choice(few) for _ in contents.roles)
