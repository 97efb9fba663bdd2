import resource

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    AutoImageProcessor,
    CLIPVisionConfig,
    Dinov2Config,
    LlamaConfig,
    ProcessorMixin,
    SiglipVisionConfig,
    ViTConfig,
    ViTImageProcessorPil,
)

from vlm.efficientnet import EfficientNetLiteConfig
from vlm.image_processing import VlmImageProcessor

SIZE = 32


@pytest.fixture
def processor() -> VlmImageProcessor:
    return VlmImageProcessor(image_size=SIZE, image_mean=(0.1, 0.2, 0.3), image_std=(0.5, 0.25, 1.0))


def process(processor: VlmImageProcessor, *images) -> torch.Tensor:
    return processor(list(images), return_tensors="pt").pixel_values


def test_one_picture_and_a_list_give_the_same(processor):
    image = Image.new("RGB", (40, 30), "red")
    single = processor(image, return_tensors="pt").pixel_values
    assert single.shape == (1, 3, SIZE, SIZE) and single.dtype == torch.float32
    assert torch.equal(process(processor, image, image), single.repeat(2, 1, 1, 1))


def test_pixels_are_normalised_per_channel(processor):
    pixel_values = process(processor, Image.new("RGB", (5, 5), (255, 0, 51)))
    expected = torch.tensor([(1 - 0.1) / 0.5, (0 - 0.2) / 0.25, (0.2 - 0.3) / 1.0])
    torch.testing.assert_close(pixel_values, expected.reshape(1, 3, 1, 1).expand(1, 3, SIZE, SIZE))


@pytest.mark.parametrize(("size", "rows", "columns"), [((64, 32), (8, 24), (0, 32)), ((10, 40), (0, 32), (12, 20))])
def test_a_picture_is_centred_with_its_aspect_and_padded_with_zeros(processor, size, rows, columns):
    is_picture = process(processor, Image.new("RGB", size, "white"))[0].ne(0).all(dim=0)
    expected = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    expected[slice(*rows), slice(*columns)] = True
    assert torch.equal(is_picture, expected)


def test_left_stays_left_and_top_stays_top(processor):
    image = Image.new("RGB", (32, 32), "black")
    image.paste("white", (0, 0, 16, 8))
    bright = process(processor, image)[0, 0] > 0
    assert bright[:6, :14].all() and not bright[10:].any() and not bright[:, 18:].any()


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (1, 5000), (5000, 1)])
def test_any_size_from_one_pixel_works(processor, size):
    pixel_values = process(processor, Image.new("RGB", size, "white"))
    assert pixel_values.shape == (1, 3, SIZE, SIZE)
    assert pixel_values.ne(0).all(dim=1).sum() == SIZE * max(1, SIZE * min(size) // max(size))


def test_a_very_long_picture_takes_memory_for_its_pixels_only(processor):
    """An exact filter over 4 million columns would need a table of 128 MiB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    process(processor, Image.new("RGB", (4_000_000, 1), "white"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 2**10  # KiB


def test_arrays_and_every_mode_are_taken_as_pictures(processor):
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    image = Image.fromarray(rgb)
    assert torch.equal(process(processor, rgb), process(processor, image))
    three_high = rgb[:3]  # channels last whatever the height: nothing is guessed from a 3
    assert process(processor, three_high)[0].ne(0).any(dim=0).any(dim=1).sum() == 3
    grey = image.convert("L")
    assert torch.equal(process(processor, np.asarray(grey)), process(processor, grey.convert("RGB")))
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert torch.equal(process(processor, deep), process(processor, grey))
    clear = Image.new("RGBA", (9, 9), (255, 0, 0, 0))
    assert torch.equal(process(processor, clear), process(processor, Image.new("RGB", (9, 9), "white")))


def test_saving_and_loading_keeps_everything(processor, tmp_path):
    processor.save_pretrained(tmp_path)
    assert (tmp_path / "preprocessor_config.json").exists()
    for loaded in (VlmImageProcessor.from_pretrained(tmp_path), AutoImageProcessor.from_pretrained(tmp_path)):
        assert type(loaded) is VlmImageProcessor and loaded.to_dict() == processor.to_dict()


def test_it_is_saved_and_loaded_inside_a_processor(processor, tmp_path):
    class Pictures(ProcessorMixin):
        def __init__(self, image_processor):
            super().__init__(image_processor)

    Pictures(processor).save_pretrained(tmp_path)
    loaded = Pictures.from_pretrained(tmp_path).image_processor
    assert type(loaded) is VlmImageProcessor and loaded.to_dict() == processor.to_dict()


@pytest.mark.parametrize(
    ("config", "mean"),
    [
        (SiglipVisionConfig, 0.5),
        (CLIPVisionConfig, 0.48145466),
        (Dinov2Config, 0.485),
        (ViTConfig, 0.5),
        (EfficientNetLiteConfig, 127 / 255),
    ],
)
def test_each_family_of_towers_gets_its_normalisation(config, mean):
    processor = VlmImageProcessor.from_vision_config(config(image_size=64))
    assert processor.image_size == 64 and processor.image_mean[0] == mean


def test_the_towers_own_preprocessor_config_goes_first(tmp_path):
    ViTImageProcessorPil(image_mean=[0.1, 0.2, 0.3], image_std=[0.4, 0.5, 0.6]).save_pretrained(tmp_path)
    processor = VlmImageProcessor.from_vision_config(CLIPVisionConfig(), tmp_path)
    assert (processor.image_mean, processor.image_std) == ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])


def test_a_folder_without_preprocessor_config_falls_back_to_the_model_type(tmp_path):
    assert VlmImageProcessor.from_vision_config(CLIPVisionConfig(), tmp_path).image_mean[0] == 0.48145466


def test_an_unknown_tower_is_an_error_that_names_the_known(tmp_path):
    config = LlamaConfig(image_size=64)
    with pytest.raises(ValueError, match=r"'llama' vision tower .* preprocessor_config.json .* siglip_vision_model"):
        VlmImageProcessor.from_vision_config(config)


def test_values_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match="image_size must be at least 1"):
        VlmImageProcessor(image_size=0)
    with pytest.raises(ValueError, match=r"one number per colour.*image_mean=\[0.5\]"):
        VlmImageProcessor(image_mean=[0.5])
    with pytest.raises(ValueError, match="only positive"):
        VlmImageProcessor(image_std=[0.5, 0.0, 0.5])


def test_a_box_goes_back_to_original_pixels(processor):
    # 640 x 320 fills columns 0..32 and rows 8..24 of the square, at a scale of 1/20
    assert processor.to_original_pixels((0, 8, 32, 24), (640, 320)) == (0, 0, 640, 320)
    assert processor.to_original_pixels((4, 10, 8, 12), (640, 320)) == (80, 40, 160, 80)
    assert processor.to_original_pixels((0, 0, 4, 32), (640, 320)) == (0, 0, 80, 320)  # the padding is outside
    assert processor.to_original_pixels((0, 0, 32, 4), (320, 640)) == (0, 0, 320, 80)
