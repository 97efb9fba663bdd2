import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, SiglipVisionModel

from tests.tiny import tiny_vision_config
from vlm.loading import compose
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.quantization import (
    BnbInt8Linear,
    Int4Linear,
    Int8Head,
    Int8Linear,
    Nf4Linear,
    QuantizationError,
    QuantizedLinear,
    check_quantization,
    dequantize_,
    prepare_quantized_,
    quantization_of,
    quantize_,
)

LINEARS = [Int4Linear, Int8Linear, Nf4Linear, BnbInt8Linear]
KINDS = ["int8", "int4", "nf4", "bnb-int8"]
INPUT_IDS = torch.tensor([[5, 17, 42, 8, 99, 3, 61], [7, 7, 11, 90, 2, 33, 4]])


def make_language_model(**config):
    """Two random layers whose weights have the spread of trained ones, so that rounding them shows in the logits."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "vocab_size": 100}
    rest = {"num_attention_heads": 4, "num_key_value_heads": 2, "attention_bias": True, "tie_word_embeddings": True}
    model = LlamaForCausalLM(LlamaConfig(**sizes | rest | config)).eval()
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1 or name.endswith("bias"):
            nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5)
    return model


def make_vlm(kind):
    language_model = make_language_model()
    quantize_(language_model, kind)
    vision_tower = SiglipVisionModel(tiny_vision_config())
    network = {"cross_attention_hidden_size": 32, "cross_attention_num_heads": 2, "cross_attention_mlp_size": 32}
    return compose(vision_tower, language_model, quantization=kind, **network)


def make_linear(cls, in_features=64, out_features=48, bias=True):
    torch.manual_seed(1)
    linear = nn.Linear(in_features, out_features, bias=bias)
    quantized = cls(in_features, out_features, bias)
    quantized.bias = linear.bias
    quantized.quantize_(linear.weight.detach())
    return linear, quantized


def relative_error(found, exact):
    return ((found - exact).norm() / exact.norm()).item()


@torch.no_grad()
@pytest.mark.parametrize(("kind", "tolerance"), [("int8", 0.02), ("int4", 0.3), ("nf4", 0.4), ("bnb-int8", 0.04)])
def test_logits_stay_within_the_rounding_of_the_unquantized_ones(kind, tolerance):
    # Rounding moves normal weights by 0.6 % (8 bits a row) or 8 to 10 % (4 bits a group) of their spread, two layers
    # triple that at most; a wrong scale, sign, nibble order or row order moves logits by 100 %.
    model = make_language_model()
    exact = model(INPUT_IDS).logits
    quantize_(model, kind)
    assert 0 < relative_error(model(INPUT_IDS).logits, exact) < tolerance


@pytest.mark.parametrize(
    ("cls", "steps"),
    # The largest error of a weight, in units of the largest weight that shares its scale: half a step between codes.
    [(Int8Linear, 0.5 / 127), (Int4Linear, 1 / 15), (Nf4Linear, 0.16), (BnbInt8Linear, 0.5 / 127)],
)
def test_each_weight_is_rounded_to_the_nearest_code(cls, steps):
    linear, quantized = make_linear(cls)
    group = {Int4Linear: 32, Nf4Linear: 64}.get(cls, linear.in_features)
    largest = linear.weight.unflatten(1, (-1, group)).abs().amax(-1, keepdim=True)
    error = (linear.weight - quantized.dequantize()).unflatten(1, (-1, group)).abs() / largest
    assert steps / 2 < error.max() < 1.15 * steps  # scales are rounded too, and bnb-int8 rounds to fp16 first


@pytest.mark.parametrize("cls", LINEARS)
def test_zeros_stay_zeros(cls):
    quantized = cls(64, 2, bias=False)
    quantized.quantize_(torch.zeros(2, 64))
    assert torch.equal(quantized.dequantize(), torch.zeros(2, 64))


def test_a_group_of_equal_weights_is_exact_in_int4():
    quantized = Int4Linear(64, 2, bias=False)
    quantized.quantize_(torch.full((2, 64), 0.25))
    assert torch.equal(quantized.dequantize(), torch.full((2, 64), 0.25))


@torch.no_grad()
@pytest.mark.parametrize("cls", LINEARS)
@pytest.mark.parametrize(("out_features", "bias"), [(48, True), (20, False)])  # the int4 kernel takes multiples of 16
def test_the_kernel_multiplies_the_weights_that_dequantize_shows(cls, out_features, bias):
    # Kernels keep 8 bits of x and of the result (int4, int8: bf16) or of x (bnb-int8): 0.4 % each at most.
    _, quantized = make_linear(cls, out_features=out_features, bias=bias)
    x = torch.randn(2, 3, 64)
    exact = F.linear(x, quantized.dequantize(), quantized.bias)
    assert quantized(x).dtype == torch.float32
    assert relative_error(quantized(x), exact) < 0.01
    assert relative_error(quantized(x.bfloat16()).float(), exact) < 0.02
    rows = x[0].t().contiguous().t()  # [3, 64], but not contiguous
    assert relative_error(quantized(rows), exact[0]) < 0.01


@pytest.mark.parametrize("cls", LINEARS)
def test_gradients_flow_to_input_and_bias_as_through_the_dequantized_layer(cls):
    _, quantized = make_linear(cls)
    plain = nn.Linear(64, 48)
    plain.weight.data, plain.bias.data = quantized.dequantize(), quantized.bias.detach().clone()
    x = torch.randn(2, 3, 64)
    for layer in (quantized, plain):
        layer.x = x.clone().requires_grad_()
        layer(layer.x).square().sum().backward()
    torch.testing.assert_close(quantized.x.grad, plain.x.grad)
    torch.testing.assert_close(quantized.bias.grad, plain.bias.grad)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["int4", "int8"])
def test_weights_may_begin_anywhere_in_memory(kind):
    """As those of a mapped file do. A kernel that minds kills the process."""
    model = make_vlm(kind)
    before = model(input_ids=INPUT_IDS).logits
    for module in model.modules():
        if isinstance(module, QuantizedLinear):
            room = torch.empty(module.qweight.nbytes + 1, dtype=torch.uint8)
            moved = room[1:].view(module.qweight.dtype).view(module.qweight.shape)
            module.qweight = moved.copy_(module.qweight)
    assert torch.equal(model(input_ids=INPUT_IDS).logits, before)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["none", *KINDS])
def test_saving_and_loading_a_model_is_exact(kind, tmp_path):
    model = make_vlm(kind)
    model.save_pretrained(tmp_path)
    loaded = VlmForConditionalGeneration.from_pretrained(tmp_path)
    assert quantization_of(loaded) == loaded.config.quantization == kind
    saved, found = model.state_dict(), loaded.state_dict()
    assert saved.keys() == found.keys()
    assert all(torch.equal(saved[name], found[name]) for name in saved)
    assert torch.equal(model(input_ids=INPUT_IDS).logits, loaded(input_ids=INPUT_IDS).logits)


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_quantized_after_it_was_composed_is_saved_as_well(kind, tmp_path):
    model = make_vlm("none")
    quantize_(model.language_model, kind)
    model.config.quantization = kind
    model.save_pretrained(tmp_path)
    loaded = VlmForConditionalGeneration.from_pretrained(tmp_path)
    assert quantization_of(loaded) == kind
    assert torch.equal(model(input_ids=INPUT_IDS).logits, loaded(input_ids=INPUT_IDS).logits)


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_another_dtype_rounds_no_quantized_weight(kind, tmp_path):
    model = make_vlm(kind)
    model.save_pretrained(tmp_path)
    loaded = VlmForConditionalGeneration.from_pretrained(tmp_path, dtype=torch.bfloat16).float()
    pairs = zip(model.modules(), loaded.modules(), strict=True)
    assert all(torch.equal(a.dequantize(), b.dequantize()) for a, b in pairs if isinstance(a, QuantizedLinear))


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_gives_what_its_samples_give_alone(kind):
    # Sums in another order, then rounded to 8 bits; bnb-int8 also finds its outliers over the whole batch.
    model = make_language_model()
    quantize_(model, kind)
    alone = torch.cat([model(row[None]).logits for row in INPUT_IDS])
    torch.testing.assert_close(model(INPUT_IDS).logits, alone, atol=0.05, rtol=0.02)


@torch.no_grad()
@pytest.mark.parametrize("cls", LINEARS)
def test_threads_may_share_a_layer_from_its_first_use_on(cls):
    _, quantized = make_linear(cls)
    x = torch.randn(3, 64)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: quantized(x), range(32)))
    assert all(torch.equal(result, results[0]) for result in results)


@torch.no_grad()
@pytest.mark.parametrize("how", ["copied into the buffers", "assigned by load_state_dict", "put in place as buffers"])
@pytest.mark.parametrize("cls", LINEARS)
def test_weights_that_come_after_the_first_use_are_used(cls, how):
    _, used = make_linear(cls, bias=False)
    x = torch.randn(3, 64)
    used(x)
    other = cls(64, 48, bias=False)
    other.quantize_(torch.randn(48, 64))
    if how == "put in place as buffers":  # as transformers' loader does, and a move to another device
        for name, tensor in other.state_dict().items():
            used.register_buffer(name, tensor)
    else:
        used.load_state_dict(other.state_dict(), assign=how == "assigned by load_state_dict")
    assert torch.equal(used(x), other(x))


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_language_model_is_quantized(kind):
    model = make_vlm("none")
    head = model.get_output_embeddings()
    quantize_(model.language_model, kind)  # also after cross-attention was put in
    names = {name for name, module in model.named_modules() if isinstance(module, QuantizedLinear)}
    projections = [f"self_attn.{p}_proj" for p in "qkvo"] + [f"mlp.{p}_proj" for p in ("gate", "up", "down")]
    layers = [f"language_model.model.layers.{i}.decoder_layer" for i in range(2)]
    heads = {"language_model.lm_head"} if kind in ("int8", "int4") else set()
    assert names == {f"{layer}.{projection}" for layer in layers for projection in projections} | heads
    assert (model.get_output_embeddings() is head) == (not heads)


def test_a_quantized_head_is_no_longer_tied_and_the_embeddings_stay():
    model = make_language_model()
    embeddings = model.model.embed_tokens.weight
    quantize_(model, "int4")
    assert isinstance(model.lm_head, Int8Linear)
    assert not model.config.tie_word_embeddings
    assert model.model.embed_tokens.weight is embeddings


@pytest.mark.skipif(sys.platform != "linux", reason="it is measured by /proc")
@pytest.mark.parametrize("cls", LINEARS)
def test_an_unfilled_layer_takes_no_memory(cls):
    before = anonymous_bytes()
    linear = cls(2**14, 2**13, bias=False)
    assert anonymous_bytes() - before < linear.qweight.nbytes / 8


def anonymous_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


def test_an_unfilled_model_has_the_tree_of_a_quantized_one():
    with torch.device("meta"):
        unfilled = LlamaForCausalLM(make_language_model().config)
        prepare_quantized_(unfilled, "int4")
    filled = make_language_model()
    quantize_(filled, "int4")
    assert {n: (t.shape, t.dtype) for n, t in unfilled.state_dict().items()} == {
        n: (t.shape, t.dtype) for n, t in filled.state_dict().items()
    }
    assert all(tensor.device.type == "meta" for tensor in unfilled.state_dict().values())


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_dequantizing_gives_plain_layers_that_compute_the_same(kind):
    model = make_language_model()
    quantize_(model, kind)
    quantized = model(INPUT_IDS).logits
    dequantize_(model)
    assert quantization_of(model) == "none"
    assert isinstance(model.model.layers[0].self_attn.q_proj, nn.Linear)
    assert model.model.layers[0].self_attn.q_proj.weight.requires_grad
    assert relative_error(quantized, model(INPUT_IDS).logits) < 0.03  # bf16 kernels, or int8 activations, in a row
    quantize_(model, kind)  # and may be quantized again


def test_an_impossible_choice_names_what_works():
    with pytest.raises(QuantizationError, match="'int3' does not exist: choose one of none, int8, int4, nf4, bnb-int8"):
        quantize_(make_language_model(), "int3")
    for kind in ("int4", "int8"):
        with pytest.raises(QuantizationError, match=rf"{kind} runs on the CPU, not on cuda: .* nf4, bnb-int8 or none"):
            check_quantization(kind, "cuda")
    model = make_language_model()
    quantize_(model, "int8")
    with pytest.raises(QuantizationError, match=r"already quantized \(int8\)"):
        quantize_(model, "nf4")
    with pytest.raises(QuantizationError, match=r"multiple of 32 .* one of 48 -> 48: use nf4"):
        quantize_(make_language_model(hidden_size=48), "int4")


@pytest.mark.parametrize("kind", ["nf4", "bnb-int8"])
def test_a_missing_bitsandbytes_is_named_with_the_command_that_brings_it(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(QuantizationError, match=r"pip install 'regard\[quant\]'"):
        quantize_(make_language_model(), kind)


@torch.no_grad()
def test_the_likeliest_words_do_not_tie_by_rounding():
    torch.manual_seed(0)
    plain, head = Int8Linear(64, 1000, bias=False), Int8Head(64, 1000, bias=False)
    weight, x = torch.randn(1000, 64), 3 * torch.randn(9, 64)
    for layer in (plain, head):
        layer.quantize_(weight)
    exact = x @ head.dequantize().T
    top = exact.topk(4).indices
    torch.testing.assert_close(head(x).gather(1, top), exact.gather(1, top), rtol=1e-5, atol=1e-4)
    assert torch.equal(head(x).argmax(dim=1), exact.argmax(dim=1))
    assert (plain(x).gather(1, top) - exact.gather(1, top)).abs().max() > 0.01
    assert torch.equal(head(x)[3:4], head(x[3:4]))  # whatever else is in the batch
