"""The whole model, top to bottom:

    pixel_values [B, I, 3, H, W]
      -> vision_tower            patch tokens      [B*I, G*G, D_v]
      -> multi_modal_projector   image features    [B, I, P, D]
      -> fusion                  cross_attention   every block reads its keys and values from the image features, once
                                                   per picture; text attends to them inside the language model
                                 prefix            image features stand at the image tokens of the sequence
                                 both              the two together
    input_ids [B, T] -> embeddings [B, T, D] -> language_model -> logits [B, T, V]

Shape letters: B batch, I pictures per sample, G patches along a side, P image features per picture, T text tokens,
D_v vision width, D language-model width, V vocabulary, N heads and H head dim of the cross-attention.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    GenerationMixin,
    PreTrainedModel,
)
from transformers.modeling_outputs import CausalLMOutputWithPast

from . import efficientnet  # noqa: F401 - registers EfficientNet-Lite as a vision tower
from .configuration_vlm import VlmConfig
from .cross_attention import FusionDecoderLayer, GatedCrossAttention, ImageKeyValue
from .lora import insert_lora_, tell_what_is_seen_
from .projector import PerceiverProjector, build_projector
from .quantization import prepare_quantized_


class EncodedImages(NamedTuple):
    """Pictures ready to be read. Nothing in it depends on the text or on a picture's place in the conversation."""

    features: Tensor  # [B, I, P, D]
    key_values: tuple[ImageKeyValue, ...]  # one per cross-attention block; empty with fusion `prefix`


@dataclass
class VlmCausalLMOutputWithPast(CausalLMOutputWithPast):
    """`logits` are [B, T, V]; with `labels` only the positions that some label of the batch needs are computed."""

    encoded_images: EncodedImages | None = None
    image_attention_mask: Tensor | None = None  # bool [B, T, I]
    cross_attentions: tuple[Tensor, ...] | None = None  # one [B, N, T, I, P] per block: where each token looked


class VlmPreTrainedModel(PreTrainedModel):
    config: VlmConfig
    base_model_prefix = "model"
    input_modalities = ("image", "text")
    supports_gradient_checkpointing = True
    _no_split_modules = ["FusionDecoderLayer"]
    _skip_keys_device_placement = ["past_key_values"]
    _supports_sdpa = True

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, PerceiverProjector):
            nn.init.normal_(module.latents, std=0.02)
        if hasattr(module, "position_scale"):
            nn.init.ones_(module.position_scale)

    def _project_patches(self, pixel_values: Tensor) -> Tensor:
        """pixel_values [N, 3, H, W] -> image features [N, P, D]."""
        patch_tokens = self.vision_tower(pixel_values).last_hidden_state
        patch_tokens = patch_tokens[:, -(self.config.patch_grid**2) :]  # class and register tokens come first: drop
        return self.multi_modal_projector(patch_tokens)


def _keep_weights(module: nn.Module) -> None:
    """Tell `post_init` that the weights of a part that was handed in are not to be drawn anew."""
    module._is_hf_initialized = True


class VlmForConditionalGeneration(VlmPreTrainedModel, GenerationMixin):
    """A language model that reads pictures. Build one from parts with `vlm.loading.compose`."""

    def __init__(
        self, config: VlmConfig, vision_tower: nn.Module | None = None, language_model: nn.Module | None = None
    ):
        super().__init__(config)
        for part in filter(None, (vision_tower, language_model)):
            part.apply(_keep_weights)
        if vision_tower is None:
            vision_tower = AutoModel.from_config(config.vision_config)
        if language_model is None:
            language_model = AutoModelForCausalLM.from_config(config.text_config)
            prepare_quantized_(language_model, config.quantization)
        self.vision_tower = vision_tower
        self.multi_modal_projector = build_projector(config)
        self.language_model = language_model
        self._insert_cross_attention()
        insert_lora_(language_model, config.lora_ranks or {})
        self.post_init()

    def _insert_cross_attention(self) -> None:
        layers = self.language_model.get_decoder().layers
        for layer in layers:
            tell_what_is_seen_(layer)
        if self.config.fusion == "prefix":
            return
        for block, i in enumerate(self.config.cross_attention_layers or []):
            layers[i] = FusionDecoderLayer(GatedCrossAttention(self.config), layers[i], block)

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.get_input_embeddings()

    def get_output_embeddings(self) -> nn.Module:
        return self.language_model.get_output_embeddings()

    def cross_attention_blocks(self) -> list[GatedCrossAttention]:
        """The gated cross-attention blocks, from the first decoder layer to the last."""
        layers = self.language_model.get_decoder().layers
        return [layer.cross_attention for layer in layers if isinstance(layer, FusionDecoderLayer)]

    def get_image_features(self, pixel_values: Tensor) -> Tensor:
        """pixel_values [N, 3, H, W] -> image features [N, P, D]."""
        return self._project_patches(pixel_values)

    def encode_images(self, pixel_values: Tensor) -> EncodedImages:
        """pixel_values [B, I, 3, H, W] -> image features, and the keys and values of every block."""
        features = self.get_image_features(pixel_values.flatten(0, 1)).unflatten(0, pixel_values.shape[:2])
        return EncodedImages(features, tuple(block.read(features) for block in self.cross_attention_blocks()))

    def get_image_attention_mask(self, input_ids: Tensor, num_images: int) -> Tensor:
        """Bool [B, T, I]: a token sees every picture whose image tokens stand, complete, at or before it."""
        tokens_so_far = (input_ids == self.config.image_token_id).cumsum(dim=-1)  # [B, T]
        length = self.config.image_seq_length
        found = tokens_so_far[:, -1]
        if (found > num_images * length).any() or (found % length).any():
            raise ValueError(
                f"input_ids has {found.tolist()} image tokens (id {self.config.image_token_id}, {length} for each"
                f" picture) in the samples of this batch, but pixel_values holds {num_images} picture(s) per sample"
            )
        return (tokens_so_far // length).unsqueeze(-1) > torch.arange(num_images, device=input_ids.device)

    def embed(self, input_ids: Tensor, image_features: Tensor | None) -> Tensor:
        """Token embeddings [B, T, D]; at image tokens the pictures' features (prefix), or zeros, which say nothing."""
        is_image = (input_ids == self.config.image_token_id).unsqueeze(-1)  # [B, T, 1]
        embeddings = self.get_input_embeddings()(input_ids.masked_fill(is_image.squeeze(-1), 0))
        if self.config.fusion == "cross_attention" or image_features is None:
            return embeddings.masked_fill(is_image, 0)
        features = image_features.flatten(1, 2).to(embeddings)  # [B, I*P, D]
        place = is_image.cumsum(dim=1).sub(1).clamp(min=0)  # which feature of the sample's pictures stands here
        return torch.where(is_image, features.gather(1, place.expand_as(embeddings)), embeddings)

    def forward(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        shift_labels: Tensor | None = None,
        label_weights: Tensor | None = None,
        encoded_images: EncodedImages | None = None,
        image_attention_mask: Tensor | None = None,
        output_cross_attentions: bool = False,
        logits_to_keep: int | Tensor = 0,
        **kwargs,
    ) -> VlmCausalLMOutputWithPast:
        """One step of the language model, with pictures (fresh or already encoded) or without.

        Pass `pixel_values` the first time; `generate` passes `encoded_images` back from then on. Leaving both out
        runs the same text without its pictures. `labels` [B, T] are -100 where a token is not to be learnt. Packed
        rows, where the token that follows may be another conversation's, come with `shift_labels` [B, T] instead: what
        each token is to foretell. The loss is the mean over them, weighted with `label_weights` [B, T] where given.
        """
        if pixel_values is not None:
            encoded_images = self.encode_images(pixel_values)
        if encoded_images is not None and image_attention_mask is None:
            image_attention_mask = self.get_image_attention_mask(input_ids, encoded_images.features.shape[1])
        cross_attentions: list[Tensor] | None = [] if output_cross_attentions else None
        if labels is not None:
            shift_labels = nn.functional.pad(labels[:, 1:], (0, 1), value=-100)
        if shift_labels is not None:  # the output head is a fifth of the work: only where something is to be learnt
            logits_to_keep = (shift_labels != -100).any(dim=0).nonzero().squeeze(-1)
        seen = encoded_images if encoded_images is not None and encoded_images.key_values else None
        outputs = self.language_model(
            inputs_embeds=self.embed(input_ids, encoded_images.features if encoded_images is not None else None),
            attention_mask=attention_mask,
            image_key_values=seen.key_values if seen is not None else None,
            # With a KV cache input_ids holds only the new tokens: keep their rows of the mask.
            image_attention_mask=None
            if image_attention_mask is None
            else image_attention_mask[:, -input_ids.shape[1] :],
            cross_attentions=cross_attentions,
            logits_to_keep=logits_to_keep,
            **kwargs,
        )
        loss = None
        if shift_labels is not None:
            weights = torch.ones_like(shift_labels) if label_weights is None else label_weights
            loss = mean_loss(outputs.logits, shift_labels[:, logits_to_keep], weights[:, logits_to_keep])
        return VlmCausalLMOutputWithPast(
            loss=loss,
            logits=outputs.logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            encoded_images=encoded_images,
            image_attention_mask=image_attention_mask,
            cross_attentions=tuple(cross_attentions) if cross_attentions is not None else None,
        )

    def _update_model_kwargs_for_generation(self, outputs, model_kwargs, **kwargs):
        model_kwargs = super()._update_model_kwargs_for_generation(outputs, model_kwargs, **kwargs)
        if outputs.encoded_images is not None:  # read each picture once; a new token sees what the last one saw
            mask = outputs.image_attention_mask
            model_kwargs["image_attention_mask"] = torch.cat([mask, mask[:, -1:]], dim=1)
            model_kwargs["encoded_images"] = outputs.encoded_images
            model_kwargs["pixel_values"] = None
        return model_kwargs


AutoConfig.register(VlmConfig.model_type, VlmConfig)
AutoModelForImageTextToText.register(VlmConfig, VlmForConditionalGeneration)


def mean_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy of logits [B, K, V] against targets [B, K], the mean weighted with [B, K]; -100 counts nothing."""
    weights = weights * (targets != -100)
    losses = nn.functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none")
    return (losses * weights.flatten()).sum() / weights.sum()
