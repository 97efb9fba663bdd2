import pytest
import torch
from safetensors.torch import load_file

from tests.tiny import open_gates_
from tests.train.colours import config_for, write_rows
from train.loop import train
from train.trainable import add_adapters, trainable_parameters
from vlm.loading import merge_adapter
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.quantization import dequantize_, quantization_of, quantize_


@pytest.mark.slow
def test_a_lora_trains_over_a_language_model_in_nf4_which_stays_as_it_is(tmp_path, tiny_config, tiny_processor):
    config = config_for(write_rows(tmp_path, 16), tmp_path / "run", quantization="nf4", max_steps=20, save_every=20)

    def base():
        torch.manual_seed(0)
        model = open_gates_(VlmForConditionalGeneration(tiny_config))
        quantize_(model.language_model, "nf4")
        return model

    model = add_adapters(base(), config)
    assert sum("lora_B" in name for name, _ in trainable_parameters(model)) == 8
    before = {name: value.clone() for name, value in model.named_buffers() if name.endswith("qweight")}
    folder = train(model, tiny_processor, config)
    after = dict(model.named_buffers())
    assert len(before) == 28 and all(torch.equal(after[name], value) for name, value in before.items())
    assert quantization_of(model) == "nf4"
    adapter = load_file(folder / "adapter_model.safetensors")
    assert all(tensor.any() for name, tensor in adapter.items() if "lora_B" in name)
    plain = base()
    dequantize_(plain.language_model)  # what serves it: the same weights, and the adapter in them
    merged = merge_adapter(plain, folder)
    inputs = tiny_processor.apply_chat_template([{"role": "user", "content": "What?"}])
    with torch.no_grad():
        torch.testing.assert_close(merged(**inputs).logits, model(**inputs).logits, rtol=1e-3, atol=1e-3)
