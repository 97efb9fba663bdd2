"""The lean forward pass against the model as transformers runs it, and against itself in other company."""

import pytest
import torch

from tests.tiny import with_lora_
from vlm.engine.decoder import Decoder, why_not
from vlm.engine.graph_decoder import GraphDecoder, make_decoder
from vlm.quantization import quantization_of, quantize_

LENGTH = 200  # more than one part of PLACES


@pytest.fixture(params=["fp32", "int4", "fp32 with LoRA", "int4 with LoRA", "graph", "graph with LoRA"])
def model(request, fused_model):
    if "fp32" not in request.param:
        quantize_(fused_model.language_model, "int4")
    if "LoRA" in request.param:
        with_lora_(fused_model)
    return fused_model


@pytest.fixture
def new_decoder(request, model):
    """Makes what runs `model`."""
    is_graph = "graph" in request.node.callspec.params["model"]

    def make():
        decoder = make_decoder(model) if is_graph else Decoder(model)
        assert isinstance(decoder, GraphDecoder) == is_graph
        return decoder

    return make


def sample(model, pictures: int, length: int = LENGTH, seed: int = 1):
    """A prompt with its pictures a few tokens in, and the pictures."""
    config, random = model.config, torch.Generator().manual_seed(seed)
    ids = torch.randint(3, config.text_config.vocab_size, (1, length), generator=random)
    for i in range(pictures):
        place = 3 + i * (config.image_seq_length + 2)
        ids[:, place : place + config.image_seq_length] = config.image_token_id
    return ids, torch.randn(1, pictures, 3, 16, 16, generator=random) if pictures else None


class Reader:
    """One sequence in one slot, read through the decoder."""

    def __init__(self, model, ids, pixel_values):
        self.images = None if pixel_values is None else model.encode_images(pixel_values)
        self.embeddings = model.embed(ids, None if self.images is None else self.images.features)
        count = 0 if pixel_values is None else pixel_values.shape[1]
        mask = model.get_image_attention_mask(ids, count) if count else torch.zeros(1, ids.shape[1], 1)
        self.visible = mask.sum(dim=-1).int()

    def show(self, decoder, slots, slot):
        for i in range(0 if self.images is None else self.images.features.shape[1]):
            picture = [(kv.key[:, :, i : i + 1], kv.value[:, :, i : i + 1]) for kv in self.images.key_values]
            if decoder.looking is not None:
                decoder.looking.show(slots.images, slot, i, picture)

    def read(self, decoder, slots, slot, start, end, keep=1):
        return decoder.forward(
            self.embeddings[:, start:end], slots, slot, [start], self.visible[:, start:end], keep=keep
        )


def read_all(decoder, reader, chunk=LENGTH, slot=0, slots=None):
    """Logits of every token, in parts of `chunk` tokens: only the last of each part."""
    slots = slots or decoder.slots(4, 2**24)
    slots.reserve(4, LENGTH + 10, 2)
    reader.show(decoder, slots, slot)
    ends = [*range(chunk, LENGTH, chunk), LENGTH]
    return {end: reader.read(decoder, slots, slot, start, end)[0] for start, end in zip([0, *ends], ends, strict=False)}


@pytest.mark.parametrize("pictures", [0, 1, 2])
@torch.no_grad()
def test_it_computes_what_the_model_computes(model, new_decoder, pictures):
    ids, pixel_values = sample(model, pictures)
    expected = model(input_ids=ids, pixel_values=pixel_values).logits[0]
    decoder = new_decoder()
    found = read_all(decoder, Reader(model, ids, pixel_values), chunk=50)
    # In units of what logits differ by. Products are in fp32, bf16 and 8 bits; a model as narrow as this one feels it.
    errors = [float((logits - expected[end - 1]).std() / expected[end - 1].std()) for end, logits in found.items()]
    tolerance = 1e-4 if quantization_of(model) == "none" else 0.25 if isinstance(decoder, GraphDecoder) else 0.02
    assert sum(errors) / len(errors) < tolerance


@torch.no_grad()
def test_a_prompt_is_the_same_bits_in_whatever_parts_it_is_read(model, new_decoder):
    reader = Reader(model, *sample(model, 2))
    whole = read_all(new_decoder(), reader)[LENGTH]
    for chunk in (7, 64, 198):  # the parts of a batch have LEAST tokens or more
        assert torch.equal(read_all(new_decoder(), reader, chunk)[LENGTH], whole), chunk


@torch.no_grad()
def test_a_token_is_the_same_bits_whatever_else_is_in_the_batch(model, new_decoder):
    decoder = new_decoder()
    readers = [
        Reader(model, *sample(model, pictures, length, seed=length))
        for pictures, length in ((1, 40), (0, 150), (2, 131), (0, 30))
    ]
    slots = decoder.slots(4, 2**24)
    slots.reserve(4, LENGTH, 2)
    alone = []
    for slot, reader in enumerate(readers):
        reader.show(decoder, slots, slot)
        length = reader.embeddings.shape[1]
        reader.read(decoder, slots, slot, 0, length - 1, keep=0)
        alone.append(reader.read(decoder, slots, slot, length - 1, length)[0])
    for group in (range(2), range(4), range(1, 4)):
        members = [readers[i] for i in group]
        together = decoder.forward(
            torch.cat([reader.embeddings[:, -1:] for reader in members]), slots, group[0],
            [reader.embeddings.shape[1] - 1 for reader in members],
            torch.cat([reader.visible[:, -1:] for reader in members]), keep=1,
        )  # fmt: skip
        for i, logits in zip(group, together, strict=True):
            assert torch.equal(logits, alone[i]), (group, i)


def test_a_model_that_it_cannot_run_is_told(tiny_model):
    assert why_not(tiny_model) is None
    tiny_model.config.text_config.rope_parameters["rope_type"] = "dynamic"
    assert "depend on the length" in why_not(tiny_model)
