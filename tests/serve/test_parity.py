"""`vlm parity` over a real, tiny model in all the forms that it can have."""

import json
import urllib.request
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch

from tests.adapters import save_adapter
from train.parity import Here, Served, compare, main, open_side, questions
from vlm import cli
from vlm.commands import CommandError
from vlm.loading import load, save_checkpoint


@pytest.fixture
def forms(tiny_assistant, tmp_path):
    """Folders with a base, an adapter for it, the two merged, and the merged one in int8."""
    base, adapter, merged, small = (str(tmp_path / name) for name in ("base", "adapter", "merged", "small"))
    save_checkpoint(tiny_assistant.model, tiny_assistant.processor, base)
    save_adapter(load(base).model, Path(adapter), targets=r".*language_model\..*\.q_proj")
    assert cli.main(["merge", base, adapter, merged]) == 0
    assert cli.main(["quantize", merged, small, "--to", "int8"]) == 0
    return base, adapter, merged, small


@pytest.fixture
def pictures(picture, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for angle in (0, 90):
        picture.rotate(angle, expand=True).save(folder / f"{angle}.png")
    return folder


def test_base_and_adapter_say_what_the_merged_model_says_and_the_base_does_not(forms, pictures, capsys):
    base, adapter, merged, small = forms
    assert main([f"{base}+{adapter}", merged, "--pictures", str(pictures)]) == 0
    assert "2 of 2 answers (100%)\nlargest logit difference  0\n" in capsys.readouterr().out
    assert main([base, merged, "--pictures", str(pictures), "--min-agreement", "0"]) == 1
    assert main([merged, small, "--pictures", str(pictures), "--min-agreement", "0"]) == 1
    loose = ["--pictures", str(pictures), "--min-agreement", "0", "--max-difference", "100"]
    assert main([merged, small, *loose]) == 0


def test_a_served_model_says_what_it_says_here_and_another_does_not(tiny_assistant, tiny_batch, live_server, pictures):
    asked = list(questions(pictures))
    served = Served(live_server(model=tiny_assistant, batch=tiny_batch, max_image_bytes=10**6))
    assert served.model == "tiny"
    found = compare(Here(tiny_assistant), served, asked)
    assert (found.agreement, found.difference) == (1.0, None)
    other = Here(replace(tiny_assistant, model=deepcopy(tiny_assistant.model)))
    with torch.no_grad():
        other.assistant.model.get_input_embeddings().weight[10:100] += 1
    assert compare(other, served, asked).agreement == 0


def test_a_served_adapter_says_what_it_says_here_and_the_base_does_not(
    forms, tiny_assistant, tiny_batch, live_server, pictures, tmp_path, capsys
):
    base, adapter, _, _ = forms
    address = live_server(model=tiny_assistant, batch=tiny_batch, max_image_bytes=10**6, adapters_dir=tmp_path)
    order = json.dumps({"lora_name": "own", "lora_path": "adapter"}).encode()
    headers = {"content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{address}/v1/load_lora_adapter", order, headers)) as done:
        assert done.status == 200
    common = ["--pictures", str(pictures)]
    assert main([f"{base}+{adapter}", f"{address}/v1#own", *common]) == 0
    assert "2 of 2 answers (100%)" in capsys.readouterr().out
    assert main([base, f"{address}/v1#own", *common]) == 1
    assert main([f"{base}+{adapter}", f"{address}/v1#tiny", *common]) == 1


def test_what_cannot_be_compared_is_told_in_plain_words(live_server, assistant, tmp_path, forms, capsys):
    assert main([forms[0], "no/such"]) == 2
    assert "there is no model 'no/such'" in capsys.readouterr().err
    assert main([forms[0], forms[0], "--pictures", str(tmp_path)]) == 2
    assert "there are no pictures in" in capsys.readouterr().err
    with pytest.raises(CommandError, match="does not answer as a server of models"):
        open_side("http://127.0.0.1:9/v1")
    with pytest.raises(CommandError, match="answers 401: This server needs an API key"):
        open_side(live_server(api_keys=("secret",)))


def test_without_a_folder_it_asks_about_pictures_that_no_training_has_drawn():
    first, second = islice(questions(None), 2)
    assert first.image.size != (0, 0) and first.question and first.question != second.question
