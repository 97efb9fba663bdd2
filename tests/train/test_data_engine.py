import hashlib
import inspect
import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

import train
from train.data_engine import FAMILIES, Question, Split, draw
from train.data_engine.colours import NAMES, distance, pick
from train.data_engine.dataset import conversation, main
from vlm.structure import Structure


def digest(family: str, split: str, seed: int) -> str:
    sample = draw(family, seed, split)
    pixels = hashlib.sha256(sample.image.tobytes()).hexdigest()
    return f"{pixels} {sample.truth.model_dump_json()} {sample.questions}"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("split", get_args(Split))
def test_every_family_keeps_the_interface(family, split):
    for seed in range(12):
        sample = draw(family, seed, split)
        assert sample.image.mode == "RGB"
        assert isinstance(sample.truth, Structure)
        assert type(sample.truth).model_validate_json(sample.truth.model_dump_json()) == sample.truth
        assert sample.questions
        for question in sample.questions:
            assert question.answer != ""
            assert not question.sentence[0].islower() and question.sentence.endswith(".")
            assert bool(question.elements) == (question.type == "describe")


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_written_in_a_picture_is_answered_as_it_is_written(family):
    """A small language model copies what it was told better than it rewrites it in lower case."""
    for seed in range(40):
        sample = draw(family, seed, "train")
        texts = set(re.findall(r'"text":"(.*?)"', sample.truth.model_dump_json()))
        folded = {text.lower() for text in texts}
        for question in sample.questions:
            is_read = not question.is_yes_no and question.type != "kind"
            assert not is_read or question.answer in texts or question.answer.lower() not in folded, question


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_gives_the_same_sample_in_another_process(family):
    code = "import hashlib\nfrom train.data_engine import draw\n" + inspect.getsource(digest)
    code += f"print(digest({family!r}, 'test', 5))"
    environment = {"PYTHONHASHSEED": "77", "PYTHONPATH": str(Path(train.__file__).parent.parent)}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert found.stdout.strip() == digest(family, "test", 5)


@pytest.mark.parametrize("family", FAMILIES)
def test_drawing_leaves_the_global_random_numbers_alone(family):
    random.seed(3)
    before, numpy_before = random.getstate(), np.random.get_state()[1].tolist()
    draw(family, 0)
    assert random.getstate() == before
    assert np.random.get_state()[1].tolist() == numpy_before


@pytest.mark.parametrize("family", FAMILIES)
def test_seeds_and_splits_give_different_samples(family):
    truths = {draw(family, seed, split).truth for split in get_args(Split) for seed in range(10)}
    assert len(truths) == 10 * len(get_args(Split))


def test_unknown_families_and_splits_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no family of pictures 'circles'; there are: .*shapes"):
        draw("circles", 0)
    with pytest.raises(ValueError, match="no split 'val'; there are: train, test"):
        draw("shapes", 0, "val")


def test_colours_of_different_names_are_never_close():
    rng = random.Random(0)
    drawn = {name: [pick(name, rng) for _ in range(25)] for name in NAMES}
    closest = min(
        distance(a, b) for one in NAMES for other in NAMES if one < other for a in drawn[one] for b in drawn[other]
    )
    assert closest > 60  # of 765; two greens that the eye can just tell apart are some 10 apart


def test_make_writes_what_draw_gives(tmp_path, capsys):
    assert main(["make", "shapes", "--split", "test", "--count", "3", "--out", str(tmp_path / "new" / "set")]) == 0
    folder = tmp_path / "new" / "set"
    lines = [json.loads(line) for line in (folder / "data.jsonl").read_text().splitlines()]
    samples = [draw("shapes", seed, "test") for seed in range(3)]
    assert f"3 pictures with {len(lines)} questions" in capsys.readouterr().out
    assert [(line["messages"][0]["content"][1]["text"], line["answer"], line["type"]) for line in lines] == [
        (question.text, question.answer, question.type) for sample in samples for question in sample.questions
    ]
    for seed, sample in enumerate(samples):
        path = f"images/{seed:06d}.png"
        assert Image.open(folder / path).tobytes() == sample.image.tobytes()
        assert sum(line["images"] == [path] for line in lines) == len(sample.questions)


def test_a_line_is_a_conversation_that_ends_with_the_sentence():
    line = conversation(Question("count", "How many?", "3", "There are three shapes."), "images/7.png")
    assert line == {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image", "path": "images/7.png"}, {"type": "text", "text": "How many?"}],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "There are three shapes."}]},
        ],
        "images": ["images/7.png"],
        "type": "count",
        "answer": "3",
    }


def test_make_never_writes_over_a_dataset(tmp_path, capsys):
    (tmp_path / "data.jsonl").write_text("precious")
    assert main(["make", "shapes", "--out", str(tmp_path)]) == 2
    assert "exists already: choose another folder" in capsys.readouterr().err
    assert (tmp_path / "data.jsonl").read_text() == "precious"


def test_an_interrupted_make_leaves_no_dataset_and_can_be_repeated(tmp_path, monkeypatch):
    def interrupted(*paths):
        raise KeyboardInterrupt

    command = ["make", "shapes", "--count", "3", "--workers", "1", "--out", str(tmp_path)]
    with monkeypatch.context() as patch:
        patch.setattr("train.data_engine.dataset.os.replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            main(command)
    assert not (tmp_path / "data.jsonl").exists()
    assert main(command) == 0


def test_the_number_of_workers_changes_nothing(tmp_path):
    for workers in ("1", "2"):
        main(["make", "shapes", "--count", "20", "--workers", workers, "--out", str(tmp_path / workers)])
    one, two = (sorted(path for path in (tmp_path / n).rglob("*") if path.is_file()) for n in ("1", "2"))
    assert [path.relative_to(tmp_path / "1") for path in one] == [path.relative_to(tmp_path / "2") for path in two]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_show_writes_a_page_with_the_first_pictures_and_escapes_what_is_said(tmp_path, capsys):
    def line(path, text):
        parts = [{"type": "image", "path": path}, {"type": "text", "text": text}]
        return json.dumps(
            {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "<b>Yes"}]}
        )

    lines = [line("a.png", "first"), line("b.png", "<script>"), line("a.png", "second"), line("c.png", "third")]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    assert main(["show", str(tmp_path), "--count", "2"]) == 0
    page = (tmp_path / "index.html").read_text()
    assert capsys.readouterr().out.strip() == str(tmp_path / "index.html")
    assert [page.count(f'src="{name}.png"') for name in "abc"] == [1, 1, 0]
    assert "first" in page and "second" in page and "third" not in page
    assert "&lt;script&gt;" in page and "<script>" not in page and "&lt;b&gt;Yes" in page


@pytest.mark.parametrize("bad", ["{", "[]", '{"messages": [{"role": "user"}]}'])
def test_show_names_the_line_that_it_cannot_read(tmp_path, capsys, bad):
    (tmp_path / "data.jsonl").write_text(json.dumps({"messages": []}) + "\n" + bad)
    assert main(["show", str(tmp_path)]) == 2
    assert "line 2 of" in capsys.readouterr().err


def test_show_says_what_it_needs(tmp_path, capsys):
    assert main(["show", str(tmp_path)]) == 2
    assert "there is no" in capsys.readouterr().err


def test_a_count_below_one_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["make", "shapes", "--count", "0", "--out", "x"])
    assert "expected a number above 0, found 0" in capsys.readouterr().err
