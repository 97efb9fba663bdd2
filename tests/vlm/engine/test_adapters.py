"""Several adapters over one model, in one batch: each answer is that of the model with that adapter made part of it."""

from dataclasses import replace

import pytest
import torch

from tests.adapters import WHOLE, save_adapter
from tests.tiny import open_gates_, with_lora_
from tests.vlm.engine.test_batch import ask, run, seen
from vlm.adapters import lay_beside, merge_adapter
from vlm.engine.batch import Batch
from vlm.generation import generate
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.quantization import quantization_of, quantize_
from vlm.sampling import RequestError

ADAPTERS = {
    "lora": {"targets": r".*language_model\..*(q|v|down)_proj"},
    "looks": {"targets": r".*language_model\..*(o|up)_proj", "trainable": WHOLE},
    "projects": {"trainable": WHOLE[:1]},
}


@pytest.fixture
def new_model(request, tiny_config):
    """Makes the same model each time, one that never ends its turn by itself."""
    kind = getattr(request, "param", "cross_attention")
    if kind in ("prefix", "both"):
        tiny_config.fusion = kind

    def make(quantized=True):
        torch.manual_seed(0)
        model = open_gates_(VlmForConditionalGeneration(tiny_config).eval())
        model.generation_config.eos_token_id = None
        if kind == "int4" and quantized:
            quantize_(model.language_model, "int4")
        return with_lora_(model) if kind == "own LoRA" else model

    return make


@pytest.fixture
def folders(new_model, tmp_path):
    return {name: save_adapter(new_model(quantized=False), tmp_path / name, **what) for name, what in ADAPTERS.items()}


@pytest.fixture
def new_batch(new_model, tiny_processor, folders):
    model = new_model()
    tiny_processor.image_seq_length = model.config.image_seq_length

    def make():
        batch = Batch(model, tiny_processor)
        for name, folder in folders.items():
            batch.load_adapter(name, folder)
        return batch

    return make


def asked(picture, **options):
    """One request for each adapter and for none, with a picture and without, so that no two neighbours are alike."""
    about = ask("What is it?", picture, max_new_tokens=5, **options)
    requests = [replace(about, adapter=name) for name in (None, "looks", "lora", "projects", "lora", None)]
    return [*requests, ask("And without?", max_new_tokens=5, adapter="looks", **options)]


@pytest.mark.parametrize("new_model", ["cross_attention", "prefix", "both", "int4", "own LoRA"], indirect=True)
def test_together_is_alone_to_the_last_bit_and_is_the_model_with_that_adapter(
    new_batch, new_model, folders, tiny_processor, picture
):
    def answer(model, request):
        if quantization_of(model) == "none":
            return generate(model, tiny_processor, request)
        return run(Batch(model, tiny_processor), [request])[0]  # whose 8-bit products are the same

    requests = asked(picture)
    alone = [seen(run(new_batch(), [request])[0]) for request in requests]
    together = run(new_batch(), requests)
    assert [seen(chunks) for chunks in together] == alone
    texts = [["".join(chunk.text for chunk in chunks)] for chunks in together]
    for request, text in zip(requests, texts, strict=True):
        model = new_model()
        if request.adapter is not None:
            model = merge_adapter(model, folders[request.adapter])
        expected = answer(model, replace(request, adapter=None))
        assert text == ["".join(chunk.text for chunk in expected)]
    assert len({str(alone[i]) for i in range(4)}) == 4  # each adapter changes something
    assert alone[2] == alone[4] and alone[0] == alone[5]


def test_the_model_is_as_it_was_and_most_of_it_is_shared(new_model, folders):
    model = new_model()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    twin = lay_beside(model, folders["looks"])
    after = model.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    base = {id(tensor) for tensor in (*model.parameters(), *model.buffers())}
    own = {name for name, t in (*twin.named_parameters(), *twin.named_buffers()) if id(t) not in base}
    assert own and all(name.endswith((".up", ".down")) or any(part in name for part in WHOLE) for name in own)


def test_what_one_adapter_has_read_or_seen_is_not_taken_for_anothers(new_batch, picture):
    batch = new_batch()
    for name, known in (("lora", False), (None, True), ("looks", False), ("looks", True), ("projects", False)):
        request = ask("What is it?", picture, max_new_tokens=3, adapter=name)
        (found,) = run(batch, [request])
        assert seen(found) == seen(run(new_batch(), [request])[0])
        assert found[-1].pictures[0].is_cached == known
        assert (found[-1].cached_tokens > 0) == (name == "looks" and known)


def test_an_adapter_that_is_unloaded_still_answers_what_was_asked_of_it(new_batch, picture):
    batch, request = new_batch(), ask("What is it?", picture, max_new_tokens=6, adapter="looks")
    (expected,) = run(new_batch(), [request])
    running, waiting = batch.prepare(request), batch.prepare(request)
    batch.join(0, running)
    found = {0: list(batch.step()), 1: []}
    batch.unload_adapter("looks")
    assert batch.adapters == ("lora", "projects")
    with pytest.raises(RequestError, match="no adapter 'looks'"):
        batch.prepare(request)
    chunks = {0: [chunk for _, chunk in found[0]], 1: []}
    while batch.rows or waiting:
        if waiting and batch.can_join(waiting):
            batch.join(1, waiting)
            waiting = None
        for owner, chunk in batch.step():
            chunks[owner].append(chunk)
    assert [seen(chunks[0]), seen(chunks[1])] == [seen(expected)] * 2


def test_what_cannot_stand_beside_others_is_refused(new_batch, new_model, tmp_path, folders):
    batch = new_batch()
    whole = save_adapter(new_model(quantized=False), tmp_path / "norm", targets=r".*language_model\..*\.q_proj")
    config = (whole / "adapter_config.json").read_text()
    (whole / "adapter_config.json").write_text(config.replace('"use_dora": false', '"use_dora": true'))
    with pytest.raises(ValueError, match="make it part of a model with vlm merge"):
        batch.load_adapter("dora", whole)
    assert batch.adapters == tuple(folders)
