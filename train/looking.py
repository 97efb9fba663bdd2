"""Dense alignment of looking: the blocks learn where to look before they learn what to make of it.

A drawn picture's truth says which patches a phrase means ("the red circle"). So the query and key of every block are
learnt directly: where the phrase ends, and where the answer will begin, a head looks at the patches that are meant, and
at nothing (its sink) where there is none. The language model runs once over some questions without a picture; any of
them can then be put to any picture, millions of pairs in minutes. Learnt from answers alone, thirty thousand pairs
left every block looking at everything, and the answers to yes/no questions at chance.

Shape letters: N pictures, Q questions, L blocks, P image features (one per patch), D text width, H heads.
"""

import logging
from random import Random
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from vlm.cross_attention import GatedCrossAttention
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.processing_vlm import VlmProcessor
from vlm.structure import Scene

from .alignment import ATTRIBUTES, AlignedPictures, scene_words
from .collator import PackedRow, collate, pack
from .config import TrainConfig
from .data import brief
from .data_engine import draw
from .data_engine.shapes_phrases import Phrase, phrase
from .precision import autocast

logger = logging.getLogger(__name__)

LOOKING_START = 3_000_000_000  # pictures from here on are those of this stage
PICTURES, QUESTIONS = 1024, 4096  # drawn once; every step puts some questions to some pictures
PICTURES_A_STEP, QUESTIONS_A_STEP = 16, 48
CANDIDATES, PHRASES = 120, 6  # of so many phrases, so many that name something in a picture, and that do not
PEAK_RATE, PEAK_RATE_SINK = 2e-3, 1e-2  # the highest learning rates, in the middle
ANY = -1  # a phrase that names no kind, or no colour


class Questions(NamedTuple):
    """What the language model makes of some questions, at two places of each: where the phrase ends, and at the end."""

    hidden_states: Tensor  # [L, Q, 2, D], what each block gets to see
    kind: Tensor  # [Q], an index into ATTRIBUTES["kind"], or ANY
    colour: Tensor  # [Q], an index into ATTRIBUTES["colour"], or ANY


class Pictures(NamedTuple):
    features: Tensor  # [N, P, D]
    kind: Tensor  # [N, P], as `alignment.scene_words` has it
    colour: Tensor  # [N, P]


def meant(kind: Tensor, colour: Tensor, questions: Questions) -> Tensor:
    """Which patches each question means: kind and colour [N, P] -> bool [N, Q, P]."""
    right_kind = (kind[:, None] == questions.kind[:, None]) | (questions.kind == ANY)[:, None]
    right_colour = (colour[:, None] == questions.colour[:, None]) | (questions.colour == ANY)[:, None]
    return right_kind & right_colour & (kind > 0)[:, None]  # the first kind is the background


def looks(block: GatedCrossAttention, hidden_states: Tensor, features: Tensor) -> Tensor:
    """Where a block looks: hidden states [Q, 2, D], features [N, P, D] -> weights [N, H, Q, 2, P]; the rest is sink."""
    key = block.read(features.unsqueeze(1)).key.squeeze(2)  # [N, H, P, D/H]
    query = block.query(block.attn_norm(hidden_states)).unflatten(-1, (block.num_heads, -1)).movedim(-2, 0)
    scores = torch.einsum("hqad,nhpd->nhqap", query * query.shape[-1] ** -0.5, key)
    sink = block.sink[:, None, None, None].expand(*scores.shape[:-1], 1)
    return torch.cat([scores, sink], dim=-1).softmax(dim=-1)[..., :-1]


def looking_loss(weights: Tensor, is_meant: Tensor) -> Tensor:
    """-log of the share of its look that a head gives to what is right; what is there weighs as much as what is not.

    weights [N, H, Q, 2, P], is_meant bool [N, Q, P].
    """
    is_there = is_meant.any(dim=-1)[:, None, :, None].expand(weights.shape[:-1])
    found = (weights * is_meant[:, None, :, None]).sum(dim=-1)
    share = torch.where(is_there, found, 1 - weights.sum(dim=-1)).clamp(min=1e-4)
    return -(share[is_there].log().mean() + share[~is_there].log().mean()) / 2


def encode_phrases(
    phrases: list[Phrase], image: Image.Image, processor: VlmProcessor, rng: Random
) -> tuple[PackedRow, list[list[int]]]:
    """Questions about one picture in one row, and the two places of each: where the phrase ends, and at the end."""
    texts = [brief(asked.question, rng) if rng.random() < 0.65 else asked.question for asked in phrases]
    chats = [
        processor.encode_chat(
            [{"role": "user", "content": [{"type": "image", "image": image}, {"type": "text", "text": text}]}],
            add_generation_prompt=True,
        )
        for text in texts
    ]
    (row,) = pack(chats, processor.image_token_id, max_tokens=1_000_000)
    places = []
    for number, (chat, text, asked) in enumerate(zip(chats, texts, phrases, strict=True), 1):
        end = max(i for i, branch in enumerate(row.branch) if branch == number)
        places.append([row.path(end)[_ends(chat.input_ids, text, asked.last, processor)], end])
    return row, places


def _run(model: nn.Module, row: PackedRow, processor: VlmProcessor, precision: str, **options: Any) -> Any:
    """The model's output for the questions of one row; what they answer is left out."""
    batch = {name: value.to(model.device) for name, value in collate([row], processor).items()}
    with autocast(model.device, precision):
        return model(
            **{name: value for name, value in batch.items() if "label" not in name},
            **options,
            use_cache=False,
            logits_to_keep=1,
        )


def _indices(phrases: list[Phrase], device: torch.device) -> tuple[Tensor, Tensor]:
    """The kind and the colour of every phrase, as in `Questions`."""
    kind = [ATTRIBUTES["kind"].index(asked.kind) if asked.kind else ANY for asked in phrases]
    colour = [ATTRIBUTES["colour"].index(asked.colour) if asked.colour else ANY for asked in phrases]
    return torch.tensor(kind, device=device), torch.tensor(colour, device=device)


@torch.no_grad()
def read_questions(
    model: VlmForConditionalGeneration,
    processor: VlmProcessor,
    phrases: list[Phrase],
    config: TrainConfig,
    rng: Random,
) -> Questions:
    """Run the language model over questions about a picture that it is not shown."""
    row, places = encode_phrases(phrases, Image.new("RGB", (8, 8)), processor, rng)
    row.images = []
    hidden_states = _run(model, row, processor, config.precision, output_hidden_states=True).hidden_states
    layers = model.config.cross_attention_layers or []
    seen = torch.stack([hidden_states[layer][0, torch.tensor(places)].float() for layer in layers])
    return Questions(seen, *_indices(phrases, model.device))


def loss_on_row(model: PeftModel, processor: VlmProcessor, family: str, config: TrainConfig, index: int) -> Tensor:
    """The loss of looking in a forward of the whole model: a new picture, and phrases of which half name something."""
    rng = Random(f"{config.seed}/looking/{index}")
    sample = draw(family, config.seed * 1_000_000_007 + LOOKING_START + PICTURES + index)
    assert isinstance(sample.truth, Scene)
    words = scene_words(sample.truth, processor.image_processor, model.get_base_model().config.patch_grid)
    kind, colour = words["kind"][None].to(model.device), words["colour"][None].to(model.device)
    candidates = [phrase(rng) for _ in range(CANDIDATES)]
    is_there = meant(kind, colour, Questions(torch.empty(0), *_indices(candidates, model.device))).any(dim=-1)[0]
    chosen = [
        asked
        for wanted in (True, False)
        for asked in [c for c, there in zip(candidates, is_there.tolist(), strict=True) if there == wanted][:PHRASES]
    ]
    row, places = encode_phrases(chosen, sample.image, processor, rng)
    looked = _run(model, row, processor, config.precision, output_cross_attentions=True).cross_attentions
    is_meant = meant(kind, colour, Questions(torch.empty(0), *_indices(chosen, model.device)))
    losses = [looking_loss(weights[:, :, torch.tensor(places), 0].float(), is_meant) for weights in looked]
    return torch.stack(losses).mean()


def _ends(input_ids: list[int], text: str, last: str, processor: VlmProcessor) -> int:
    """The place in `input_ids`, a chat that ends with `text`, of the token where `last` ends."""
    encoded = processor.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, end = encoded["input_ids"], text.lower().rindex(last) + len(last)
    start = next(i for i in range(len(input_ids) - len(ids), -1, -1) if input_ids[i : i + len(ids)] == ids)
    return start + next(i for i, (_, stop) in enumerate(encoded["offset_mapping"]) if stop >= end)


@torch.no_grad()
def read_pictures(
    model: VlmForConditionalGeneration, processor: VlmProcessor, family: str, config: TrainConfig
) -> Pictures:
    drawn = AlignedPictures(family, config.seed, processor.image_processor, model.config.patch_grid)
    size = config.alignment_batch_size
    batches = [
        range(start, min(start + size, LOOKING_START + PICTURES))
        for start in range(LOOKING_START, LOOKING_START + PICTURES, size)
    ]
    features, kinds, colours = [], [], []
    for pixel_values, words in tqdm(DataLoader(drawn, batch_sampler=batches, num_workers=1), "pictures", leave=False):
        features.append(model.get_image_features(pixel_values.to(model.device)))
        kinds.append(words["kind"])
        colours.append(words["colour"])
    return Pictures(torch.cat(features), torch.cat(kinds).to(model.device), torch.cat(colours).to(model.device))


def align_looking(model: PeftModel, processor: VlmProcessor, config: TrainConfig) -> None:
    """Train query, key and sink of every cross-attention block for `looking_steps` steps."""
    base = model.get_base_model()
    family = next(source.family for source in config.data if source.family is not None)
    rng = Random(f"{config.seed}/looking")
    groups = [[phrase(rng) for _ in range(64)] for _ in range(QUESTIONS // 64)]
    read = [read_questions(base, processor, group, config, rng) for group in tqdm(groups, "questions", leave=False)]
    hidden_states = torch.cat([r.hidden_states for r in read], dim=1)
    kind, colour = (torch.cat([getattr(r, name) for r in read]) for name in ("kind", "colour"))
    pictures = read_pictures(base, processor, family, config)
    torch.manual_seed(config.seed)
    blocks = base.cross_attention_blocks()
    learnt = [
        parameter
        for block in blocks
        for part in (block.query, block.key, block.attn_norm, block.image_norm)
        for parameter in part.parameters()
    ]
    sinks = [block.sink for block in blocks]
    optimizer = torch.optim.AdamW([{"params": learnt}, {"params": sinks}], betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [PEAK_RATE, PEAK_RATE_SINK], config.looking_steps)
    progress = tqdm(range(config.looking_steps), "looking", unit="step", dynamic_ncols=True)
    for _ in progress:
        which = torch.randint(0, len(pictures.features), (PICTURES_A_STEP,))
        asked = torch.randint(0, len(kind), (QUESTIONS_A_STEP,))
        some = Questions(hidden_states[:, asked], kind[asked], colour[asked])
        is_meant = meant(pictures.kind[which], pictures.colour[which], some)
        losses = [
            looking_loss(looks(block, hidden, pictures.features[which]), is_meant)
            for block, hidden in zip(blocks, some.hidden_states, strict=True)
        ]
        torch.stack(losses).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        progress.set_postfix(loss=" ".join(f"{loss.item():.2f}" for loss in losses), refresh=False)
    logger.info("looking ends with a loss of %s", " ".join(f"{loss.item():.3f}" for loss in losses))
