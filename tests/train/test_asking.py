from PIL import Image

from tests.tiny import open_gates_
from train.asking import Asker, first_ones_ahead
from train.plain_chat import QUESTIONS, count_same
from train.timing import time_charts
from vlm.answers import GenerationRequest
from vlm.loading import Assistant
from vlm.modeling_vlm import VlmForConditionalGeneration


def test_many_at_once_say_what_each_says_alone(tiny_config, tiny_processor, picture):
    assistant = Assistant("tiny", open_gates_(VlmForConditionalGeneration(tiny_config).eval()), tiny_processor)
    pictures = [picture, picture.transpose(Image.Transpose.ROTATE_90)]
    requests = []
    for number in range(9):
        content = [{"type": "image", "image": pictures[number % 2]}, {"type": "text", "text": "What? " * number + "x"}]
        requests.append((number, GenerationRequest([{"role": "user", "content": content}], max_new_tokens=5 + number)))
    together = dict(Asker(assistant, max_answers=3).answer(iter(requests)))
    assert list(Asker(assistant).answer([])) == []
    for number, request in requests:
        assert together[number] == "".join(chunk.text for chunk in assistant.stream(request)).strip()


def test_the_first_of_each_group_comes_before_the_rest_of_the_one_before():
    assert [*first_ones_ahead([[1, 2, 3], [4], [], [5, 6]])] == [1, 4, 2, 3, 5, 6]


def test_a_model_without_pictures_says_what_it_says(tiny_config, tiny_processor):
    model = VlmForConditionalGeneration(tiny_config).eval()
    one = Assistant("tiny", model, tiny_processor)
    assert count_same(one, one) == len(QUESTIONS) == 30


def test_answers_to_new_charts_are_timed(tiny_config, tiny_processor):
    assistant = Assistant("tiny", VlmForConditionalGeneration(tiny_config).eval(), tiny_processor)
    assert " s (the longest of 1: " in time_charts(assistant, 1)
