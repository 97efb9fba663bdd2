"""easy-VQA as files, as a person writes them to try fine-tuning."""

import easy_vqa
import pytest

from train.data_engine.dataset import main
from train.readers import RowsConfig, open_rows
from train.readers.row import pictures_of, text_of


@pytest.fixture
def small(monkeypatch):
    """The package with its first 30 questions of each split, and the pictures that these need."""
    for split in ("train", "test"):
        questions = [column[:30] for column in getattr(easy_vqa, f"get_{split}_questions")()]
        paths = getattr(easy_vqa, f"get_{split}_image_paths")()
        used = {number: paths[number] for number in questions[2]}
        monkeypatch.setattr(easy_vqa, f"get_{split}_questions", lambda questions=questions: questions)
        monkeypatch.setattr(easy_vqa, f"get_{split}_image_paths", lambda used=used: used)
    return questions


def test_rows_are_read_back_as_they_are_in_the_package(small, tmp_path, capsys):
    assert main(["easy-vqa", "--out", str(tmp_path)]) == 0
    assert "60 questions" in capsys.readouterr().out
    reader = open_rows(RowsConfig(path=tmp_path / "test.jsonl"))
    assert len(reader) == 30
    user, assistant = reader.read(7).messages
    assert (text_of(user), text_of(assistant)) == (small[0][7], small[1][7])
    assert (tmp_path / pictures_of([user])[0][1]["path"]).is_file()
