import pytest
import torch

from train.collator import IGNORE, attention_mask, collate, common_start, pack

QUESTIONS = (("What?", "A cat."), ("What colour is it, and why?", "red"), ("Wh", "yes"))


@pytest.fixture
def chats(tiny_processor, picture):
    def chat(question, answer):
        content = [{"type": "image", "image": picture}, {"type": "text", "text": question}]
        return tiny_processor.encode_chat(
            [{"role": "user", "content": content}, {"role": "assistant", "content": answer}]
        )

    return [chat(*pair) for pair in QUESTIONS]


@torch.no_grad()
def test_packed_conversations_are_computed_as_if_each_stood_alone(fused_model, tiny_processor, chats):
    (row,) = pack(chats, tiny_processor.image_token_id, 10_000)
    batch = collate([row], tiny_processor)
    del batch["shift_labels"], batch["label_weights"]
    packed = fused_model(**batch).logits[0]
    for number, chat in enumerate(chats, 1):
        alone = fused_model(input_ids=torch.tensor([chat.input_ids]), pixel_values=batch["pixel_values"]).logits[0]
        path = row.path(max(i for i, branch in enumerate(row.branch) if branch == number))
        assert [row.input_ids[place] for place in path] == chat.input_ids[: len(path)]
        torch.testing.assert_close(packed[path], alone[: len(path)], rtol=1e-4, atol=1e-4)


def test_labels_cover_the_answers_only(tiny_processor, chats):
    (row,) = pack(chats, tiny_processor.image_token_id, 10_000)
    learnt = [label for label in row.labels if label != IGNORE]
    answers = "".join(answer + "<|im_end|>" for _, answer in QUESTIONS)
    assert sorted(tiny_processor.tokenizer.decode(learnt).split("<|im_end|>")) == sorted(answers.split("<|im_end|>"))
    for number, chat in enumerate(chats, 1):
        path = row.path(max(i for i, branch in enumerate(row.branch) if branch == number))
        for here, place in enumerate(path, 1):
            assert row.labels[place] == (chat.input_ids[here] if chat.is_answer[here] else IGNORE)


def test_labels_cover_the_answer_of_every_turn_and_nothing_else(tiny_processor, picture):
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": "What?"}]},
        {"role": "assistant", "content": "A cat."},
        {"role": "user", "content": "Its colour?"},
        {"role": "assistant", "content": "red"},
    ]
    (row,) = pack([tiny_processor.encode_chat(messages)], tiny_processor.image_token_id, 10_000)
    learnt = [label for label in row.labels if label != IGNORE]
    assert tiny_processor.tokenizer.decode(learnt) == "A cat.<|im_end|>red<|im_end|>"
    assert [weight > 0 for weight in row.weights] == [label != IGNORE for label in row.labels]


def foretelling(chat):
    """The ids that it takes to foretell the last one that is to be learnt."""
    return tuple(chat.input_ids[: max(i for i, is_answer in enumerate(chat.is_answer) if is_answer)])


def test_what_conversations_have_in_common_stands_once_and_long_rows_are_split(tiny_processor, chats):
    (row,) = pack(chats, tiny_processor.image_token_id, 10_000)
    needed = map(foretelling, chats)
    assert len(row.input_ids) == len({ids[:end] for ids in needed for end in range(1, len(ids) + 1)})
    assert row.branch.count(0) > common_start(chats)  # some share more than all do
    rows = pack(chats, tiny_processor.image_token_id, 1)
    assert {tuple(row.input_ids) for row in rows} == set(map(foretelling, chats))
    assert pack(chats[:1], tiny_processor.image_token_id, 10_000)[0].branch == [1] * len(foretelling(chats[0]))


def test_the_same_question_asked_twice_teaches_its_answer_twice(tiny_processor, chats):
    (row,) = pack([chats[0], chats[0]], tiny_processor.image_token_id, 10_000)
    learnt = [label for label in row.labels if label != IGNORE]
    assert tiny_processor.tokenizer.decode(learnt) == "A cat.<|im_end|>" * 2
    assert all(branch for label, branch in zip(row.labels, row.branch, strict=True) if label != IGNORE)


def test_pictures_outside_the_common_start_cannot_share_a_row(tiny_processor, chats):
    chats[1].input_ids.append(tiny_processor.image_token_id)
    with pytest.raises(ValueError, match="share all their pictures"):
        pack(chats, tiny_processor.image_token_id, 10_000)


def test_a_branch_sees_the_start_and_itself_up_to_now():
    visible = attention_mask(torch.tensor([[4, 3, 3, 4, 5]]))[0, 0] == 0  # the last one is padding
    assert visible.int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 0, 0, 1, 0],
        [0, 0, 0, 0, 1],
    ]


@torch.no_grad()
def test_rows_padded_in_a_batch_have_the_loss_of_rows_alone(open_gates, tiny_processor, chats):
    long, short = pack(chats, tiny_processor.image_token_id, 10_000)[0], pack(chats[2:], 0, 10_000)[0]
    batch = collate([long, short], tiny_processor)
    alone = [open_gates(**collate([row], tiny_processor)).loss * sum(row.weights) for row in (long, short)]
    torch.testing.assert_close(open_gates(**batch).loss * sum(long.weights + short.weights), sum(alone))


def test_an_answer_counts_as_the_root_of_its_length(tiny_processor, chats):
    (row,) = pack(chats, tiny_processor.image_token_id, 10_000)
    assert [weight > 0 for weight in row.weights] == [label != IGNORE for label in row.labels]
    for number, (_, answer) in enumerate(QUESTIONS, 1):
        own = [weight for weight, branch in zip(row.weights, row.branch, strict=True) if branch == number]
        length = len(tiny_processor.tokenizer(f"{answer}<|im_end|>")["input_ids"])
        assert sum(own) == pytest.approx(length**0.5)


@torch.no_grad()
def test_without_weights_every_label_counts_the_same(open_gates, tiny_processor, chats):
    batch = collate(pack(chats, tiny_processor.image_token_id, 10_000), tiny_processor)
    del batch["label_weights"]
    labels = batch.pop("shift_labels")
    logits = open_gates(**batch).logits
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    torch.testing.assert_close(open_gates(**batch, shift_labels=labels).loss, expected)
    unshifted = torch.nn.functional.pad(
        labels[:, :-1], (1, 0), value=IGNORE
    )  # what a row's last token foretells is lost
    expected = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, :-1].flatten())
    torch.testing.assert_close(open_gates(**batch, labels=unshifted).loss, expected)
