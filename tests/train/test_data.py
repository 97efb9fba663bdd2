from collections import Counter

from train.data import BRIEF, DrawnSource
from train.data_engine.tables_questions import CANNOT_TELL


def pictures(messages):
    return [
        p["image"] for m in messages if not isinstance(m["content"], str) for p in m["content"] if p["type"] == "image"
    ]


def test_a_drawn_row_is_a_function_of_its_index():
    one, again = (DrawnSource("shapes").conversations(5) for _ in range(2))
    assert [m["content"] for m in one[0] if isinstance(m["content"], str)] == [
        m["content"] for m in again[0] if isinstance(m["content"], str)
    ]
    assert pictures(one[0])[0].tobytes() == pictures(again[0])[0].tobytes()
    assert pictures(DrawnSource("shapes").conversations(6)[0])[0].tobytes() != pictures(one[0])[0].tobytes()


def test_drawn_rows_have_single_questions_talks_and_several_pictures():
    rows = [DrawnSource("shapes").conversations(index) for index in range(80)]
    assert {len(pictures(row[0])) for row in rows} == {1, 2, 3}
    assert {len(row[0]) > 2 for row in rows} == {True, False}


def test_conversations_of_a_row_share_their_pictures():
    for index in range(30):
        row = DrawnSource("shapes").conversations(index)
        assert len({tuple(map(id, pictures(messages))) for messages in row}) == 1


def test_short_answers_come_where_they_are_asked_for():
    brief, free = Counter(), Counter()
    for index in range(40):
        for messages in DrawnSource("shapes").conversations(index):
            asked, answer = messages[0]["content"][-1]["text"], messages[1]["content"]
            is_short = len(answer.split()) <= 3 or answer == CANNOT_TELL
            (brief if asked.endswith(BRIEF) else free)[is_short] += 1
    assert not brief[False]
    assert free[False] and not free[True]
