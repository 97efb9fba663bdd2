from typing import get_args

import pytest

from tests.readings import graph
from vlm.structure import NodeShape
from vlm.structure.mermaid import SHAPES, to_mermaid


def test_a_flowchart_has_its_shapes_arrows_and_labels():
    flow = graph("Start-OK?", "OK?-Done:yes", shapes={"Start": "oval", "OK?": "diamond"})
    assert to_mermaid(flow) == (
        'flowchart TD\n    n0(["Start"])\n    n1{"OK?"}\n    n2["Done"]\n    n0 --> n1\n    n1 -->|"yes"| n2\n'
    )


def test_a_line_has_no_head():
    assert "    n0 --- n1\n" in to_mermaid(graph("A-B", directed=False))


@pytest.mark.parametrize("text", ['a "quoted" [box]', "}|>", "#35;", "`code`", "<b>", "; end", "%%", "a\nb"])
def test_no_text_ends_its_box(text):
    one = graph("A-B")
    nodes = (one.nodes[0].model_copy(update={"lines": (one.nodes[0].lines[0].model_copy(update={"text": text}),)}),)
    box = to_mermaid(one.model_copy(update={"nodes": (*nodes, one.nodes[1])})).splitlines()[1]
    assert box.startswith('    n0["') and box.endswith('"]')
    inside = box.removeprefix('    n0["').removesuffix('"]')
    assert not set(inside) & set('"[]{}|<>`\n')


def test_letters_of_any_script_stay_and_an_empty_box_is_one():
    assert '["Größe 5 茶"]' in to_mermaid(graph("Größe 5 茶-B"))
    assert '[" "]' in to_mermaid(graph(" -B"))


def test_a_picture_that_runs_across_stays_so():
    one = graph("A-B")
    aside = one.nodes[1].model_copy(update={"box": (150, 10, 190, 17)})
    assert to_mermaid(one.model_copy(update={"nodes": (one.nodes[0], aside)})).startswith("flowchart LR\n")


def test_every_shape_is_known():
    assert set(SHAPES) == set(get_args(NodeShape))
