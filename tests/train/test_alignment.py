import torch

from tests.tiny import open_gates_
from train.alignment import ATTRIBUTES, UNKNOWN, AlignmentHead, align, scene_words
from train.config import TrainConfig
from train.trainable import add_adapters
from vlm.image_processing import VlmImageProcessor
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.structure import Scene, Thing

SQUARE = ((0.0, 0.0), (20.0, 0.0), (20.0, 20.0), (0.0, 20.0))
PROCESSOR = VlmImageProcessor(image_size=16)


def words(scene, grid=4):
    found = scene_words(scene, PROCESSOR, grid)
    return {name: found[name].view(grid, grid).tolist() for name in ATTRIBUTES}


def test_every_patch_gets_the_words_of_what_stands_there():
    thing = Thing(kind="rectangle", colour="red", size="large", outline=SQUARE)
    found = words(Scene(width=40, height=40, background="white", things=(thing,)))
    rectangle, red, white = ATTRIBUTES["kind"].index("rectangle"), *map(ATTRIBUTES["colour"].index, ("red", "white"))
    assert [row[:2] for row in found["kind"][:2]] == [[rectangle] * 2] * 2
    assert found["kind"][3] == [0] * 4
    assert found["colour"][0][0] == red and found["colour"][3][3] == white
    assert found["size"][3][3] == UNKNOWN
    assert ATTRIBUTES["across"][found["across"][0][0]] == "left" and ATTRIBUTES["down"][found["down"][0][0]] == "top"


def test_what_lies_outside_a_wide_picture_has_no_colour():
    found = words(Scene(width=40, height=20, background="white", things=()))
    assert found["colour"][0] == found["colour"][3] == [UNKNOWN] * 4
    assert UNKNOWN not in found["colour"][1]


def test_a_background_of_many_colours_teaches_none():
    assert words(Scene(width=20, height=20, background=None, things=()))["colour"] == [[UNKNOWN] * 4] * 4


def test_the_loss_is_least_for_features_that_point_to_the_right_words(tiny_model, byte_tokenizer):
    head = AlignmentHead(tiny_model.get_input_embeddings(), byte_tokenizer)
    for name, vectors in head.words.items():
        truth = {each: torch.tensor([[1 if each == name else UNKNOWN]]) for each in ATTRIBUTES}
        right, wrong = (30 * vector[None, None] for vector in vectors[[1, 0]])
        losses = [head(features, truth).item() for features in (right, 0 * right, wrong)]
        assert losses == sorted(losses), name


def test_alignment_trains_the_projector_alone(tiny_config, tiny_processor, tmp_path):
    config = TrainConfig(
        model="unused", data=({"family": "shapes"},), output_dir=tmp_path, max_steps=1, alignment_steps=3,
        alignment_batch_size=2,
    )  # fmt: skip
    model = add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), config)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    align(model, tiny_processor, config)
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    assert changed and all("multi_modal_projector.modules_to_save" in name for name in changed)
