"""Dense alignment: the projector learns to say, for every patch, the words of what stands there.

Pictures that were drawn come with exact truth, so seeing can be learnt directly, patch by patch, before (and cheaper
than) through the language model. The words are the language model's own: an image feature is drawn towards the
embeddings of "red", "circle" and "large", which is the space that the cross-attention and the output head work in.

Shape letters: N pictures, P image features (one per patch), D text width, W words of one attribute.
"""

import logging

import numpy as np
import torch
import torch.nn.functional as F
from peft import PeftModel
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm
from transformers import PreTrainedTokenizerBase

from vlm.image_processing import VlmImageProcessor
from vlm.processing_vlm import VlmProcessor
from vlm.structure import Scene

from .config import TrainConfig
from .data_engine import draw
from .data_engine.colours import NAMES
from .data_engine.shapes_facts import nearest_sides
from .data_engine.shapes_kinds import KINDS

logger = logging.getLogger(__name__)

NOTHING = "background"
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "kind": (NOTHING, *KINDS),
    "colour": NAMES,
    "size": ("small", "medium", "large"),
    "across": ("left", "center", "right"),
    "down": ("top", "center", "bottom"),
}
UNKNOWN = -100  # no word is right here: the patch teaches nothing about this attribute
BACKGROUND_WEIGHT = 0.2  # four patches out of five are background
ALIGNMENT_START = 2_000_000_000  # pictures from here on are those of the alignment
COVERED = 0.3  # share of a patch that a thing must fill to be what stands there; of a small thing the best will do
PADDING = 255  # outside the picture, where the letterbox is filled up
PEAK_RATE = 2e-3  # the highest learning rate, in the middle
FINENESS = 4  # a patch is divided in 4 x 4 to see what fills it


def scene_words(scene: Scene, processor: VlmImageProcessor, grid: int) -> dict[str, Tensor]:
    """The index of the right word for each of grid x grid patches, row by row, for every attribute."""
    fine = grid * FINENESS
    letterbox = processor.letterbox((scene.width, scene.height))
    left, top, right, bottom = (edge * fine / processor.image_size for edge in letterbox)
    scale_x, scale_y = (right - left) / scene.width, (bottom - top) / scene.height
    owner = Image.new("L", (fine, fine), PADDING)
    pen = ImageDraw.Draw(owner)
    pen.rectangle((left, top, right, bottom), fill=0)
    for number, thing in enumerate(scene.things, 1):
        pen.polygon([(left + x * scale_x, top + y * scale_y) for x, y in thing.outline], fill=number)
    squares = np.asarray(owner).reshape(grid, FINENESS, grid, FINENESS).transpose(0, 2, 1, 3).reshape(grid * grid, -1)
    words = {name: torch.full((grid * grid,), UNKNOWN) for name in ATTRIBUTES}
    words["kind"][:] = ATTRIBUTES["kind"].index(NOTHING)
    if scene.background is not None:
        words["colour"][torch.from_numpy((squares == 0).all(axis=1))] = NAMES.index(scene.background)
    for number, thing in enumerate(scene.things, 1):
        share = (squares == number).mean(axis=1)
        here = torch.from_numpy(share > min(COVERED, 0.7 * share.max()))
        across, down = nearest_sides(thing, scene)
        said = {"kind": thing.kind, "colour": thing.colour, "size": thing.size, "across": across, "down": down}
        for name, values in ATTRIBUTES.items():
            words[name][here] = values.index(said[name])
    return words


class AlignmentHead(nn.Module):
    """Scores of the words of every attribute for every image feature; only the temperature is learnt."""

    def __init__(self, embeddings: nn.Module, tokenizer: PreTrainedTokenizerBase):
        super().__init__()
        self.log_temperature = nn.Parameter(torch.zeros(1))
        device = next(embeddings.parameters()).device
        self.words = {}
        for name, values in ATTRIBUTES.items():
            with torch.no_grad():
                rows = [
                    embeddings(
                        tokenizer(f" {word}", add_special_tokens=False, return_tensors="pt")["input_ids"].to(device)
                    )
                    for word in values
                ]
                vectors = torch.stack([row.float().mean(dim=(0, 1)) for row in rows])
                self.words[name] = F.normalize(vectors - vectors.mean(dim=0), dim=-1)  # [W, D]

    def forward(self, features: Tensor, words: dict[str, Tensor]) -> Tensor:
        """features [N, P, D], words [N, P] -> the mean cross-entropy over attributes."""
        weight = torch.where(words["kind"] > 0, 1.0, BACKGROUND_WEIGHT).flatten()  # the first kind is NOTHING
        losses = []
        for name, vectors in self.words.items():
            scores = self.log_temperature.exp() * features @ vectors.T  # [N, P, W]
            loss = F.cross_entropy(scores.flatten(0, 1), words[name].flatten(), ignore_index=UNKNOWN, reduction="none")
            known = weight * (words[name].flatten() != UNKNOWN)
            losses.append((loss * weight).sum() / known.sum().clamp(min=1))
        return torch.stack(losses).mean()


class AlignedPictures(Dataset[tuple[Tensor, dict[str, Tensor]]]):
    """Drawn picture `index` of a family: pixel_values [3, S, S] and its words [P]."""

    def __init__(self, family: str, seed: int, processor: VlmImageProcessor, grid: int):
        self.family, self.seed, self.processor, self.grid = family, seed, processor, grid

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        sample = draw(self.family, self.seed * 1_000_000_007 + index)
        assert isinstance(sample.truth, Scene)
        pixel_values = self.processor(sample.image, return_tensors="pt")["pixel_values"][0]
        return pixel_values, scene_words(sample.truth, self.processor, self.grid)


def align(model: PeftModel, processor: VlmProcessor, config: TrainConfig) -> None:
    """Train the projector alone for `alignment_steps` steps on pictures of the first drawn source."""
    family = next(source.family for source in config.data if source.family is not None)
    base = model.get_base_model()
    pictures = AlignedPictures(family, config.seed, processor.image_processor, base.config.patch_grid)
    size = config.alignment_batch_size
    steps = [range(ALIGNMENT_START + i * size, ALIGNMENT_START + (i + 1) * size) for i in range(config.alignment_steps)]
    torch.manual_seed(config.seed)
    head = AlignmentHead(base.get_input_embeddings(), processor.tokenizer).to(model.device)
    projector = [p for p in base.multi_modal_projector.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([*projector, *head.parameters()])
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, config.alignment_steps)
    loader = DataLoader(pictures, batch_sampler=steps, num_workers=1)
    progress = tqdm(loader, "aligning", unit="step", dynamic_ncols=True)
    for pixel_values, words in progress:
        features = base.get_image_features(pixel_values.to(model.device))
        loss = head(features, {name: value.to(model.device) for name, value in words.items()})
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        rate.step()
        progress.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    logger.info("alignment ends with a loss of %.3f", loss.item())
