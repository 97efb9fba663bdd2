"""The whole bench over a tiny model: everything is measured, said and written."""

import json

import pytest
import torch

from vlm.bench import llama, smolvlm
from vlm.bench.command import main, run
from vlm.bench.measure import ROWS, Bench, Sizes
from vlm.bench.ours import Ours
from vlm.bench.profile import profile_step
from vlm.bench.smolvlm import SmolVlm
from vlm.loading import Assistant, load, save_checkpoint

TINY = Sizes(
    rounds=2, requests=12, prompt_words=4, decode_tokens=4, prefill_tokens=50, gap_tokens=200, long_prompt_words=30,
    profile_steps=2, streams=3,
)  # fmt: skip


@pytest.fixture
def ours(open_gates, tiny_processor):
    return Ours(Assistant("tiny", open_gates, tiny_processor), streams=3)


@pytest.fixture
def checkpoint(open_gates, tiny_processor, tmp_path):
    save_checkpoint(open_gates, tiny_processor, tmp_path / "tiny")
    return str(tmp_path / "tiny")


def test_everything_about_text_is_measured_and_told_also_where_llama_cpp_is_missing(
    checkpoint, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(llama, "import_llama", lambda: None)
    run(Bench(checkpoint, TINY), ["decode", "prefill"], tmp_path / "out")
    out = capsys.readouterr().out
    assert llama.how_to_get() in out
    found = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert [row["reached"] == "not measured" for row in found["rows"]] == [True, True, True, False, True]
    assert all(len(values) == 2 and min(values) > 0 for values in found["measured"].values())
    page = (tmp_path / "out" / "bench.md").read_text()
    assert all(row.what in page and row.what in out for part in ("decode", "prefill") for row in ROWS[part])
    assert "## One decode step: 3 answers about a picture" in page


@pytest.mark.parametrize(("quantization", "operator"), [("none", "aten::baddbmm"), ("int4", "GroupQueryAttention")])
def test_where_the_time_of_a_step_goes_is_told_and_the_engine_is_as_it_was(checkpoint, quantization, operator):
    ours = Ours(load(checkpoint, quantization=quantization), streams=2)
    decoder = ours.batch.decoder
    before = dict(vars(decoder))
    profile = profile_step(ours, "two answers", words=3, steps=3, streams=2)
    assert profile.stages.keys() == {"language model", "sampling", "text", "the rest"}
    assert min(profile.stages.values()) > 0
    assert operator in {name for name, _, _ in profile.operators}
    assert vars(decoder) == before
    assert ours.batch.rows == []


def test_each_way_to_measure_measures_what_it_says(ours):
    assert ours.tokens_per_second(words=3, count=4, streams=3, pictures=2) > 0
    stats = ours.batch.stats()
    assert stats["picture_misses"] == 2 and stats["picture_hits"] == 1
    assert ours.seconds_of_a_new_picture() > 0
    assert ours.batch.stats()["picture_misses"] == 3
    cached = ours.batch.stats()["cached_tokens"]
    assert ours.seconds_of_the_next_question(with_picture=True) > 0
    assert ours.batch.stats()["cached_tokens"] > cached + 20  # the conversation was not read again
    assert ours.batch.rows == []


def test_a_model_of_smolvlm_s_shape_answers_about_tiles():
    shape = smolvlm.config()
    small = {"hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 1}
    for part, more in ((shape.vision_config, {"image_size": 64}), (shape.text_config, {"num_attention_heads": 3})):
        for name, value in {**small, **more}.items():
            setattr(part, name, value)
    shape.text_config.num_key_value_heads, shape.text_config.head_dim = 3, 16
    assert SmolVlm(torch.float32, shape).seconds(2, [5, 6, 7]) > 0
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("option", ["--rounds=0", "--requests=0", "--parts=all"])
def test_a_wrong_option_ends_before_anything_is_measured(option):
    with pytest.raises(SystemExit, match="2"):
        main([option])


@pytest.mark.slow
def test_everything_about_the_server_is_measured(checkpoint, tmp_path):
    bench = Bench(checkpoint, TINY)
    run(bench, ["server"], tmp_path)
    assert all(len(bench.measured[key]) == count for key, count in (("start", 2), ("p99 over p50", 2)))
    assert 50 < bench.measured["peak memory"][0] < 5000
    assert "11 with status 200, 1 with status 400" in bench.notes["server"]


@pytest.mark.slow
def test_llama_cpp_says_what_the_model_says():
    library = llama.import_llama()
    if library is None:
        pytest.skip("llama.cpp is not installed")
    ours = Ours(load("mini"), streams=1)
    prompts = [ours.prompt_ids(30) for _ in range(5)]
    language_model = ours.assistant.model.language_model
    expected = [int(language_model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()) for ids in prompts]
    for form in llama.FORMS:
        model = llama.LlamaCpp(library, form, threads=1)
        found = []
        for ids in prompts:
            model._forget(model._one)
            found.append(model._read(model._one, ids, sequence=0))
        same = sum(token == wanted for token, wanted in zip(found, expected, strict=True))
        assert same >= 3 or form == "Q4_0", form  # two words may be about as likely
        assert model.tokens_per_second(prompts[0], 2, sequences=3) > 0
        model.close()
