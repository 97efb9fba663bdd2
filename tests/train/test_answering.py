import pytest

from train.answering import answer_together
from vlm.generation import GenerationRequest, generate


@pytest.mark.parametrize("end", [None, 7])
def test_questions_answered_together_get_the_answers_they_get_alone(open_gates, tiny_processor, picture, end):
    open_gates.generation_config.eos_token_id = end
    questions = ("What?", "What colour is the thing on the left?", "W", "Why not?")
    conversations = [
        [{"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": question}]}]
        for question in questions
    ]
    together = answer_together(open_gates, tiny_processor, conversations, max_new_tokens=6)
    for conversation, answer in zip(conversations, together, strict=True):
        request = GenerationRequest(conversation, max_new_tokens=6)
        alone = "".join(chunk.text for chunk in generate(open_gates, tiny_processor, request)).strip()
        assert _whole(answer) == _whole(alone)


def _whole(text: str) -> str:
    """Without half characters at the end, which a stream holds back."""
    return text.rstrip("\N{REPLACEMENT CHARACTER}").strip()
