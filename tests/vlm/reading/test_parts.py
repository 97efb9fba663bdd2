"""Drawings and their parts are called what they are, or nothing."""

from random import Random

import pytest
import torch
from PIL import Image, ImageDraw

from train.data_engine import draw
from train.data_engine.colours import NAMES
from train.data_engine.parts_drawings import DRAWINGS
from train.data_engine.parts_layout import attempt, pick_style, plan
from train.data_engine.parts_picture import paint
from train.seeing.parts import PARTS, make_example, strange, train_namer
from vlm.reading.parts import CELLS, UNKNOWN, PartNamer, drawing_box, name_parts, within
from vlm.reading.weights import load_head, save_head
from vlm.structure import Label


def test_the_shipped_weights_name_drawings_and_their_parts():
    subjects = right = total = 0
    for seed in range(900, 916):
        sample = draw("parts", seed, "train")
        truth = sample.truth
        subject, names = name_parts(sample.image, truth.labels, [one.target for one in truth.call_outs])
        subjects += subject == truth.subject
        if truth.subject in DRAWINGS:
            total += len(names)
            right += sum(name == truth.part(one).kind for name, one in zip(names, truth.call_outs, strict=True))
    assert subjects >= 13 and right > 0.8 * total > 0


def test_parts_thrown_together_are_called_nothing():
    rng, said = Random(0), []
    while len(said) < 5:
        chosen = strange(plan(rng), rng)
        colours = rng.sample(NAMES, len(chosen.shapes))
        drawn = attempt(chosen, colours, pick_style(rng, "train", colours), rng)
        if drawn:
            said.append(name_parts(paint(drawn, rng), drawn.labels, [one.target for one in drawn.call_outs]))
    assert sum(subject is None for subject, _ in said) >= 4
    assert all(name == "part" for subject, names in said if subject is None for name in names)


def test_a_drawing_is_looked_at_without_its_labels():
    """Neither a word nor the badge that it stands on is of the drawing; the end of a line is."""
    image = Image.new("RGB", (300, 200), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((100, 40, 200, 150), (200, 30, 30), "black")
    pen.rectangle((10, 80, 34, 104), (0, 90, 90))
    pen.line((34, 92, 130, 92), "black")
    label = Label(text="A", box=(17, 86, 27, 98))
    assert drawing_box(image, [label], []) == (100, 40, 201, 151)
    assert drawing_box(image, [label], [(240, 100)]) == (100, 40, 241, 151)
    assert within((150, 95), (100, 40, 200, 150)) == (0.5, 0.5)


def test_training_learns_what_it_is_shown():
    """A few drawings, many times: they and their parts are named."""
    examples = [make_example(index) for index in range(8)]
    namer = train_namer(examples, passes=60)
    right = total = 0
    with torch.inference_mode():
        for one in examples:
            logits, whole, cells = namer.look(one.tokens[None].float())
            assert namer.subjects[int(logits.argmax())] == one.subject
            if PARTS[one.subject]:
                places = torch.tensor([[place for place, _ in one.places]])
                best = namer.names_at(places, logits.argmax(-1), whole, cells)[0].argmax(-1).tolist()
                right += sum(namer.names[number] == name for number, (_, name) in zip(best, one.places, strict=True))
                total += len(best)
    assert right > 0.9 * total > 0


@pytest.fixture
def namer():
    torch.manual_seed(0)
    return PartNamer(6, {"house": ("roof", "door"), "car": ("wheel", "door"), UNKNOWN: ()}, width=4, hidden=8).eval()


@torch.inference_mode()
def test_only_parts_of_what_is_drawn_are_named(namer):
    _, whole, cells = namer.look(torch.randn(2, CELLS * CELLS, 6))
    logits = namer.names_at(torch.rand(2, 5, 2), torch.tensor([0, 1]), whole, cells)
    possible = [{namer.names[i] for i in (row > -1e8).any(0).nonzero()[:, 0].tolist()} for row in logits]
    assert logits.shape == (2, 5, 3) and possible == [{"roof", "door"}, {"wheel", "door"}]


def test_a_head_is_saved_in_half_precision_with_its_names(namer, tmp_path):
    save_head(namer, tmp_path / "head.safetensors", parts=namer.parts)
    weights, told = load_head(tmp_path / "head.safetensors")
    assert told == {"parts": {"house": ["roof", "door"], "car": ["wheel", "door"], UNKNOWN: []}}
    assert all(torch.equal(weights[name], value.half().float()) for name, value in namer.state_dict().items())
