"""What is held out for the test split, as `configs/data/held-out.yaml` names it."""

from vlm.run_config import RunConfig, load_config


class HeldOut(RunConfig):
    """Looks by what they are looks of; those of two colours or of a shape in words."""

    fonts: frozenset[str]
    palettes: frozenset[str]
    chart_themes: frozenset[str]
    chart_palettes: frozenset[str]
    chart_legend_places: frozenset[str]
    table_rules: frozenset[str]
    graph_directions: frozenset[str]
    graph_heads: frozenset[str]
    part_arrangements: frozenset[str]
    sign_frames: frozenset[str]
    sign_colours: frozenset[str]  # "yellow on blue"
    shapes: frozenset[str]  # "orange circle"
    thing_patterns: frozenset[str]
    thing_drawings: str  # a character each


HELD_OUT = load_config(HeldOut, "data/held-out")
