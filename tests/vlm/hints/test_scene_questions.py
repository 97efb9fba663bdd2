"""What a question about everyday things, or about a labelled drawing, turns on."""

import pytest

from tests.readings import parts, scene, thing
from vlm.hints import question_facts

THINGS = scene(thing("red cat", 20, 20), thing("blue dog", 180, 80), thing("red guitar", 180, 20))


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("What colour is the cat?", "the cat is red, top left"),
        ("Where is the guitar?", "the guitar is red, top right"),
        ("What is blue?", "the blue thing is a blue dog, bottom right"),
        ("Which musical instrument is shown?", "the musical instrument is a red guitar, top right"),
        ("How many animals are there?", "2 animals"),
        ("How many red things are there?", "2 red things"),
        ("Is there a bus?", "there is no bus"),
        ("Is the cat to the left of the dog?", "cat is left of dog"),
        ("Which is higher up, the dog or the guitar?", "guitar is above dog"),
        ("What is to the left of the guitar?", "the guitar is red, top right; left of the guitar: red cat"),
        ("Is the red thing a cat?", "red thing: red cat top left and red guitar top right; the cat is red, top left"),
        ("Is the dog a plant or an animal?", "the dog is blue, bottom right; animal: red cat top left and blue dog"
         " bottom right"),
        ("What is in the bottom right corner?", "bottom right: blue dog"),
        ("What colour is the background?", "the background is of several colors"),
    ],
)  # fmt: skip
def test_of_things(question, fact):
    said = question_facts([THINGS], f"{question} Answer briefly.", lambda text: len(text) // 3)
    assert said == f"({fact})\n"


def test_of_shapes():
    shapes = scene(thing("red circle", 20, 20), thing("blue cross", 180, 80))
    for question, fact in (
        ("What colour is the circle?", "the circle is red, top left"),
        ("How many crosses are there?", "1 cross"),
        ("How many diamonds are there?", "0 diamonds"),
        ("Where is the ring?", "there is no ring"),
    ):
        assert question_facts([shapes], question, len) == f"({fact})\n"


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ('What does the label "A" point to?', "A points to the red roof"),
        ("What is label B?", "B points to the white front wall; B stands for front wall"),
        ("Which label points to the roof?", "A points to the roof"),
        ("Which label marks the white part?", "B points to the white part"),
        ("What colour is the wall?", "B points to the wall; the wall is white"),
        ("Which label marks the blue part?", "no label points to a blue part"),
        ("How many labels are there?", "2 labels"),
        ("Read the labels from top to bottom.", "top to bottom: A and B"),
    ],
)
def test_of_a_labelled_drawing(question, fact):
    said = question_facts([parts()], f"{question} Answer briefly.", lambda text: len(text) // 3)
    assert said == f"({fact})\n"
