from tests.readings import graph
from vlm.structure import graph_facts as facts

FLOW = graph("Start-Ask", "Ask-OK?", "OK?-Done:yes", "OK?-Fix:no", "Fix-Ask", lone="X")


def node(text, one=FLOW):
    return facts.find_node(one, text)


def test_a_node_is_found_by_its_text_unless_two_have_it():
    assert facts.find_node(FLOW, " start ") == 0
    assert facts.find_node(FLOW, "nowhere") is None
    assert facts.find_node(graph("A-a"), "A") is None


def test_what_follows_and_what_leads_to_a_node():
    assert facts.successors(FLOW, node("OK?")) == (node("Done"), node("Fix"))
    assert facts.predecessors(FLOW, node("Ask")) == (node("Start"), node("Fix"))


def test_a_path_is_a_shortest_one_and_is_none_against_the_arrows():
    assert facts.find_path(FLOW, node("Start"), node("Fix")) == (0, 1, 2, 4)
    assert facts.find_path(FLOW, node("Done"), node("Start")) is None
    assert facts.find_path(graph("A-B", "B-C", "A-C"), 0, 2) == (0, 2)


def test_a_path_to_itself_is_a_loop():
    assert facts.find_path(FLOW, 1, 1) == (1, 2, 4, 1)
    assert facts.find_path(FLOW, 0, 0) is None


def test_starts_ends_and_what_is_alone():
    assert facts.start_nodes(FLOW) == (0,)
    assert facts.end_nodes(FLOW) == (node("Done"),)
    assert facts.lone_nodes(FLOW) == (node("X"),)


def test_a_decision_has_more_than_one_labelled_way_out():
    assert list(facts.decisions(FLOW)) == [node("OK?")]
    assert facts.decisions(graph("A-B", "A-C")) == facts.decisions(graph("A-B:yes", "A-C")) == {}


def test_each_knot_of_loops_is_told_once_and_a_line_is_no_loop():
    assert facts.loops(graph("A-B", "B-A", "B-C", "C-D", "D-C", "D-D")) == ((0, 1, 0), (2, 3, 2))
    assert facts.loops(graph("A-A")) == ((0, 0),)
    assert facts.loops(graph("A-B", "B-C", directed=False)) == ()


def test_a_flowchart_in_words():
    assert facts.describe_graph(FLOW) == [
        "node-link picture: 6 boxes, 5 arrows",
        "starts at: Start",
        "ends at: Done",
        "decision at OK?: yes -> Done, no -> Fix",
        "loop: Ask -> OK? -> Fix -> Ask",
        "joined to nothing: X",
    ]


def test_a_network_in_words():
    assert facts.describe_graph(graph("A-B", "A-C", directed=False)) == [
        "node-link picture: 3 boxes, 2 lines",
        "joined to most others (2): A",
    ]
