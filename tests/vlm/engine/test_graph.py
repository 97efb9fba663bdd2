"""What is kept of a model for ONNX Runtime: made once, for these weights and this machine, and only where it does."""

import copy
import os
import re
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.adapters import save_adapter
from tests.tiny import with_lora_
from vlm.adapters import lay_beside
from vlm.engine import graph as graph_module
from vlm.engine import graph_decoder, graph_store
from vlm.engine.decoder import Decoder
from vlm.engine.graph import quantize_rows
from vlm.engine.graph_decoder import GraphDecoder, is_faster, make_decoder
from vlm.engine.variants import make_variant
from vlm.mapped_files import release_weight_files
from vlm.quantization import quantize_


@pytest.fixture
def model(open_gates):
    quantize_(open_gates.language_model, "int4")
    return with_lora_(open_gates)


def test_rows_are_rounded_in_parts_as_all_at_once(monkeypatch):
    weight = torch.randn(5, 100)
    whole = quantize_rows(weight)
    monkeypatch.setattr(graph_module, "ROWS", 2)
    assert all((part == all_).all() for part, all_ in zip(quantize_rows(weight), whole, strict=True))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(graph_store, "cache_folder", lambda: tmp_path)
    return tmp_path / "graphs"


def test_weights_are_rounded_to_8_bits_of_the_largest_of_64():
    weight = torch.randn(5, 100)
    codes, scales = quantize_rows(weight)
    assert codes.shape == (5, 2, 64) and scales.shape == (5, 2)
    back = ((torch.tensor(codes).float() - 128) * torch.tensor(scales)[..., None]).flatten(1)[:, :100]
    assert (back - weight).abs().max() <= weight.abs().max() / 254 + 1e-6
    assert quantize_rows(torch.zeros(1, 64))[0].min() == 128  # of nothing but zeros, nothing becomes NaN


def test_it_is_made_once_and_anew_for_other_weights(model, cache):
    assert isinstance(make_decoder(model), GraphDecoder)
    (folder,) = cache.iterdir()
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    make_decoder(model)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == times
    with torch.no_grad():
        next(p for name, p in model.named_parameters() if name.endswith(".up")).add_(1)
    make_decoder(model)
    assert len(list(cache.iterdir())) == 2


def test_an_adapters_graph_holds_no_more_than_what_is_its_own(open_gates, cache, tmp_path):
    """That its answers are right: test_adapters.py."""
    folder = save_adapter(copy.deepcopy(open_gates), tmp_path / "adapter", targets=r".*language_model\..*(q|v)_proj")
    quantize_(open_gates.language_model, "int4")
    decoder = make_decoder(open_gates)
    variant = make_variant(lay_beside(open_gates, folder), b"own", decoder.base)
    decoder.prepare(variant)
    assert release_weight_files() == 0  # nothing that was only read to open it is held
    (kept,) = cache.iterdir()
    weights = (kept / "weights.data").stat().st_size
    assert len(variant.graph.source) < weights / 4
    assert len(variant.graph.source) > (kept / "model.onnx").stat().st_size  # with the updates in it


@pytest.mark.skipif(sys.platform != "linux", reason="it is measured by /proc")
def test_what_sees_pictures_and_what_sees_none_read_the_same_weights_in_memory(model, cache):
    decoder = make_decoder(model)
    slots = decoder.slots(1, 2**24)
    slots.reserve(1, 8, 1)
    x = torch.randn(1, 2, decoder.config.hidden_size)
    release_weight_files()

    def resident(pictures):
        decoder.forward(x, slots, 0, [0], torch.full((1, 2), pictures), keep=1)
        parts = re.findall(r"/weights\.data\n.*\n.*\n.*\nRss: +(\d+) kB", Path("/proc/self/smaps").read_text())
        return sum(map(int, parts))

    seeing = resident(pictures=1)
    assert resident(pictures=0) == seeing > 0


def test_answers_go_on_when_their_slots_have_moved(model, cache):
    decoder = make_decoder(model)
    slots = decoder.slots(4, 2**24)
    x, visible = torch.randn(1, 3, decoder.config.hidden_size), torch.zeros(1, 3)

    def read(start, end):
        return decoder.forward(x[:, start:end], slots, 0, [start], visible[:, start:end], keep=1).clone()

    slots.reserve(1, 8, 1)
    read(0, 2)
    expected = read(2, 3)
    slots.reserve(3, 600, 2, [2])
    for tensor in slots.text:
        assert tensor.shape[1] >= 3
    assert torch.equal(read(2, 3), expected)


@pytest.mark.parametrize(("fault", "said"), [("is_independent", "depend on each other"), ("is_faster", "slower")])
def test_where_it_does_not_do_it_is_not_used_and_not_tried_again(model, cache, monkeypatch, caplog, fault, said):
    monkeypatch.setattr(graph_decoder, fault, lambda *_: False)
    assert isinstance(make_decoder(model), Decoder)
    monkeypatch.undo()
    assert said in caplog.text
    monkeypatch.setattr(graph_store, "cache_folder", lambda: cache.parent)
    assert isinstance(make_decoder(model), Decoder)
    assert [path.name for path in next(cache.iterdir()).iterdir()] == [graph_store.UNFIT]


def test_what_takes_less_time_is_faster(model, cache):
    class Slow(Decoder):
        def forward(self, *args, **options):
            for _ in range(20):
                logits = super().forward(*args, **options)
            return logits

    assert is_faster(Decoder(model), Slow(model))
    assert not is_faster(Slow(model), Decoder(model))


def test_what_is_half_made_leaves_nothing_and_torch_does_without(model, cache, monkeypatch, caplog):
    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(graph_decoder, "is_independent", fail)
    assert isinstance(make_decoder(model), Decoder)
    assert "is left out: no space left" in caplog.text
    assert not list(cache.iterdir())


def test_where_nothing_can_be_kept_torch_does_without(model, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setattr(graph_store, "cache_folder", lambda: tmp_path / "file")
    assert isinstance(make_decoder(model), Decoder)
    assert "is left out" in caplog.text


def test_what_is_damaged_is_made_anew_the_next_time(model, cache):
    make_decoder(model)
    (folder,) = cache.iterdir()
    (folder / "weights.data").unlink()
    assert isinstance(make_decoder(model), Decoder)
    assert isinstance(make_decoder(model), GraphDecoder)


def test_an_adapter_can_come_when_the_graphs_were_forgotten(model, cache):
    decoder = make_decoder(model)
    (folder,) = cache.iterdir()
    graph_store.forget(folder)
    assert not list(cache.iterdir())
    variant = make_variant(model, b"other", decoder.base)
    decoder.prepare(variant)
    assert variant.graph is not None and folder.is_dir()


def test_what_was_not_used_for_a_week_is_forgotten(model, cache):
    days = {"old": 8, "new": 6, "partial-old": 0.1, "partial-new": 0.01}
    for name, age in days.items():
        (cache / name).mkdir(parents=True)
        os.utime(cache / name, (0, time.time() - age * 86400))
    make_decoder(model)
    assert {path.name for path in cache.iterdir()} & days.keys() == {"new", "partial-new"}


def test_a_model_that_it_cannot_run_has_the_other_decoder(tiny_model, monkeypatch):
    assert "not int4" in graph_store.why_no_graph(tiny_model)
    assert isinstance(make_decoder(tiny_model), Decoder)
    quantize_(tiny_model.language_model, "int4")
    assert graph_store.why_no_graph(tiny_model) is None
    monkeypatch.setattr(graph_store, "find_spec", lambda name: None)
    assert "onnx is not installed" in graph_store.why_no_graph(tiny_model)
    assert isinstance(make_decoder(tiny_model), Decoder)
