import json
from collections import Counter

import pytest
from PIL import Image

from train.data import BRIEF, DataError, DrawnSource, JsonlSource


def pictures(messages):
    return [
        p["image"] for m in messages if not isinstance(m["content"], str) for p in m["content"] if p["type"] == "image"
    ]


def write(folder, *lines):
    Image.new("RGB", (4, 4)).save(folder / "a.png")
    path = folder / "data.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def line(path="a.png", answer="yes", role="assistant"):
    content = [{"type": "image", "path": path}, {"type": "text", "text": "?"}]
    return {"messages": [{"role": "user", "content": content}, {"role": role, "content": answer}]}


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
            (brief if asked.endswith(BRIEF) else free)[len(answer.split()) <= 3] += 1
    assert not brief[False]
    assert free[False] and not free[True]


def test_lines_about_the_same_picture_make_one_row_and_an_epoch_has_every_row(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "b.png")
    source = JsonlSource(write(tmp_path, line(), line("b.png"), line(answer="no")))
    assert sorted(len(source.conversations(index)) for index in range(2)) == [1, 2]
    assert sorted(len(source.conversations(index)) for index in range(2, 4)) == [1, 2]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{", r"line 2: is not JSON"),
        ({"text": "x"}, r"line 2: is not of the form"),
        (line("missing.png"), r"line 2: there is no picture .*missing.png"),
        (line(role="user"), r"line 2: the last message must be the assistant's"),
    ],
)
def test_every_unusable_line_is_named_before_training(tmp_path, bad, message):
    with pytest.raises(DataError, match=message):
        JsonlSource(write(tmp_path, line(), bad))


def test_a_file_that_is_missing_or_empty_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        JsonlSource(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="has no lines"):
        JsonlSource(write(tmp_path, ""))


def test_a_broken_picture_is_named(tmp_path):
    path = write(tmp_path, line())
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"a\.png"):
        JsonlSource(path).conversations(0)
