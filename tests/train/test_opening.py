import pytest
import torch
from PIL import Image

from tests.train.test_loop import config, dataset, new_model  # noqa: F401 - fixtures
from train.collator import collate, pack
from train.loop import start
from train.opening import Openings
from train.trainable import trainable_parameters


def rows_about(processor, colour, *questions, system="Be kind."):
    content = [{"type": "image", "image": Image.new("RGB", (16, 16), colour)}]
    chats = [
        processor.encode_chat(
            [
                {"role": "system", "content": system},
                {"role": "user", "content": [*content, {"type": "text", "text": question}]},
                {"role": "assistant", "content": colour},
            ]
        )
        for question in questions
    ]
    return pack(chats, processor.image_token_id, 10_000)


@pytest.fixture
def rows(tiny_processor):
    return [*rows_about(tiny_processor, "red", "What?", "Colour?"), *rows_about(tiny_processor, "blue", "Is it blue?")]


@pytest.fixture
def other(tiny_processor):
    """Rows that begin in another way."""
    return rows_about(tiny_processor, "red", "What?", system="Be brief and clear.")


@pytest.fixture
def run(tiny_config, tiny_processor, config):  # noqa: F811
    run, _ = start(new_model(tiny_config, config), tiny_processor, config)
    with torch.no_grad():  # nothing learnt yet would be nothing to see
        for _, parameter in trainable_parameters(run.model):
            parameter.add_(0.3 * torch.randn_like(parameter))
    return run


@pytest.mark.parametrize("are_alike", [True, False])
def test_an_opening_that_is_known_changes_no_loss_and_no_gradient(run, rows, other, are_alike):
    rows = rows if are_alike else [*rows, *other]

    def learn(openings):
        run.model.zero_grad()
        run.openings = openings
        loss = run.loss(rows)
        loss.backward()
        return loss.detach(), {name: p.grad for name, p in trainable_parameters(run.model) if p.grad is not None}

    openings = run.openings
    (known, gradients), (expected, others) = learn(openings), learn(None)
    again, _ = learn(openings)
    assert openings is not None and torch.equal(known, again)
    torch.testing.assert_close(known, expected)
    torch.testing.assert_close(gradients, others, rtol=1e-3, atol=1e-4)


def test_an_opening_is_read_once_as_long_as_it_is_the_same(run, tiny_processor, rows, other):
    lengths = []
    run.model.register_forward_pre_hook(
        lambda model, args, kwargs: lengths.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    for row in (*rows, *other):
        run.loss([row])
    opening, first, second, longer, third = lengths
    assert opening == rows[0].input_ids.index(tiny_processor.image_token_id)
    assert [first, second] == [len(row.input_ids) - opening for row in rows]
    assert longer > opening and third == len(other[0].input_ids) - longer


@pytest.mark.parametrize("said_before", [False, True], ids=["no picture", "an answer before it"])
def test_nothing_that_is_to_be_learnt_is_taken_for_an_opening(run, tiny_processor, picture, said_before):
    look = [{"type": "image", "image": picture}] * said_before
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": [*look, {"type": "text", "text": "Colour?"}]},
        {"role": "assistant", "content": "red"},
    ]
    batch = collate(pack([tiny_processor.encode_chat(messages)], tiny_processor.image_token_id, 1000), tiny_processor)
    spared = Openings(run.model, tiny_processor.image_token_id).spare(batch)
    assert (spared["shift_labels"] >= 0).sum() == (batch["shift_labels"] >= 0).sum()


@pytest.mark.parametrize("change", [{"gradient_checkpointing": True}, {"lora": {"use_dora": True}}])
def test_where_layers_keep_no_cache_or_every_token_is_changed_all_is_read_each_time(
    tiny_config,
    tiny_processor,
    config,  # noqa: F811
    change,
):
    config = type(config).model_validate({**config.model_dump(), **change})
    run, _ = start(new_model(tiny_config, config), tiny_processor, config)
    assert run.openings is None


def test_reading_an_opening_draws_no_random_numbers(tiny_config, tiny_processor, config, rows):  # noqa: F811
    """Or else a run that is started again, and reads it anew, would not go on as it would have."""
    config = config.model_copy(update={"lora": config.lora.model_copy(update={"dropout": 0.5})})
    run, _ = start(new_model(tiny_config, config), tiny_processor, config)
    run.model.train()
    batch, before = collate(rows, tiny_processor), torch.get_rng_state()
    assert run.openings is not None and "past_key_values" in run.openings.spare(batch)
    assert torch.equal(torch.get_rng_state(), before)
