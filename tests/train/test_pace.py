import pytest

from tests.train.test_loop import config, dataset, new_model  # noqa: F401 - fixtures
from train import pace
from train.collator import IGNORE, pack


def test_the_same_tokens_are_learnt_padded_as_packed(tiny_processor, picture):
    user = {"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": "Colour?"}]}
    pairs = [[user, {"role": "assistant", "content": answer}] for answer in ("red", "a very dark green")]
    chats = [tiny_processor.encode_chat(pair) for pair in pairs]
    (row,) = pack(chats, tiny_processor.image_token_id, 1024)
    batch = pace.pad(chats, tiny_processor)
    learnt = [label for labels in batch["labels"].tolist() for label in labels if label != IGNORE]
    assert sorted(learnt) == sorted(label for label in row.labels if label != IGNORE)
    assert ((batch["labels"] == IGNORE) | (batch["labels"] == batch["input_ids"])).all()


def test_both_paces_are_told(tiny_config, tiny_processor, config, monkeypatch, capsys):  # noqa: F811
    monkeypatch.setattr(pace, "load_base", lambda config: (None, tiny_processor))
    monkeypatch.setattr(pace, "add_adapters", lambda model, config: new_model(tiny_config, config))
    pace.run(config)
    lines = capsys.readouterr().out.splitlines()
    ours, trainer, ratio = (float(line.split(":")[1].split()[0]) for line in lines)
    assert ours > 0 and trainer > 0 and ratio == pytest.approx(ours / trainer, rel=0.02)
