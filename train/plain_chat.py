"""Talk without pictures: the same answers, to the letter, as of the language model that the assistant is made of."""

from vlm.answers import GenerationRequest
from vlm.loading import DEFAULT_MODEL, Assistant, ComposeConfig, compose_from_config
from vlm.run_config import load_config

from .asking import Asker

TOKENS = 24  # that are compared of each answer
QUESTIONS = (
    "What is the capital of France?", "How many days are there in a week?", "Name three fruits.",
    "What do bees make?", "Write one sentence about the sea.", "What is two plus three?", "Who wrote Hamlet?",
    "What is the opposite of hot?", "Give me a name for a cat.", "What colour is the sky on a clear day?",
    "How do I boil an egg?", "What is photosynthesis?", "Tell me a short joke.", "What is a noun?",
    "Which planet is the largest?", "Translate 'good morning' into Spanish.", "What is the boiling point of water?",
    "Why do leaves fall in autumn?", "Name a musical instrument with strings.", "What is a prime number?",
    "Who was Marie Curie?", "What should I pack for a day at the beach?", "What does a carpenter do?",
    "List two uses of salt.", "How many legs does a spider have?", "What is gravity?", "Describe a rainbow.",
    "What is the past tense of 'go'?", "Is a tomato a fruit?", "Say hello to my friend Anna.",
)  # fmt: skip


def compare_chat(assistant: Assistant) -> str:
    """A line that says how many of the answers are the language model's own."""
    config = load_config(ComposeConfig, f"model/{DEFAULT_MODEL}")
    quantization = assistant.model.config.quantization
    model, processor = compose_from_config(
        config.model_copy(update={"adapter": None, "hints": False, "quantization": quantization})
    )
    same = count_same(assistant, Assistant("its language model", model, processor))
    return f"Without pictures {same} of {len(QUESTIONS)} answers are the language model's own, to the letter.\n"


def count_same(assistant: Assistant, other: Assistant) -> int:
    """How many questions the two answer with the same words."""
    requests = [
        (number, GenerationRequest([{"role": "user", "content": question}], max_new_tokens=TOKENS))
        for number, question in enumerate(QUESTIONS)
    ]
    one, two = (dict(Asker(each).answer(requests)) for each in (assistant, other))
    return sum(one[number] == two[number] for number, _ in requests)
