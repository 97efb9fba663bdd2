"""VlmProcessor: chat messages with pictures -> input_ids and pixel_values.

A conversation is rendered by the language model's own chat template with a placeholder for every piece of content;
what the template wrote is tokenised with its special tokens, what people wrote without. So no text of a user, nor of
an earlier answer, can end a turn or make an image slot, whatever it contains.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image
from transformers import AutoProcessor, BatchFeature
from transformers.processing_utils import MultiModalData, ProcessorMixin

from .configuration_vlm import VlmConfig

IMAGE_TOKEN = "<image>"
ROLES = ("system", "user", "assistant")
PLAIN_TEXT = "text"  # the role of a lone message that is to go on as it stands, without a chat around it
# For language models that come without a chat template (base models).
DEFAULT_CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant: {% endif %}"
)
# Stand for content while the template is rendered; private-use characters, and never matched against users' text.
_OPEN, _CLOSE = "\ue000", "\ue001"


@dataclass
class EncodedChat:
    """One conversation as token ids, with its pictures in order of appearance."""

    input_ids: list[int] = field(default_factory=list)
    is_answer: list[bool] = field(default_factory=list)  # what an assistant says, and the token that ends its turn
    images: list[Image.Image] = field(default_factory=list)

    def append(self, ids: Sequence[int], *, is_answer: bool = False) -> None:
        self.input_ids.extend(ids)
        self.is_answer.extend([is_answer] * len(ids))


class VlmProcessor(ProcessorMixin):
    """Image processor and tokenizer in one, saved beside the weights.

    `image_seq_length` image tokens stand for each picture; a conversation may hold `max_images` of them. `hints` says
    whether the model has learnt to use what is found in pictures (`vlm/hints`).
    """

    valid_processor_kwargs = None

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        chat_template: str | None = None,
        image_seq_length: int = 1,
        max_images: int = 8,
        hints: bool = False,
        **kwargs: Any,
    ):
        self.image_seq_length = image_seq_length
        self.max_images = max_images
        self.hints = hints
        self.image_token = IMAGE_TOKEN
        self.image_token_id = tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
        super().__init__(image_processor, tokenizer, chat_template=chat_template, **kwargs)

    def encode_chat(self, messages: list[dict[str, Any]], *, add_generation_prompt: bool = False) -> EncodedChat:
        """Messages with `content` a string or parts (`text`, `image`) -> ids. Pictures of a turn come before its text.

        An image part may have a `hint`, a text about the picture that follows its image tokens (`vlm/hints`). A lone
        message of role `text` is a text to be continued; then there is no template. Raises ValueError for an unknown
        role or part, and for more pictures than `max_images`.
        """
        chat = EncodedChat()
        if [message.get("role") for message in messages] == [PLAIN_TEXT]:
            images, _, text = self._split_content({**messages[0], "role": "user"})
            return self._encode_text(images, text)
        contents: list[tuple[str, list[str], str]] = []  # role, hint of each picture, text of each message
        rendered: list[dict[str, str]] = []
        for message in messages:
            images, hints, text = self._split_content(message)
            chat.images.extend(images)
            rendered.append({"role": message["role"], "content": f"{_OPEN}{len(contents)}{_CLOSE}"})
            contents.append((message["role"], hints, text))
        if len(chat.images) > self.max_images:
            raise ValueError(
                f"this conversation has {len(chat.images)} pictures; the model can tell {self.max_images} apart:"
                " leave some out or start a new conversation"
            )
        prompt = self.tokenizer.apply_chat_template(
            rendered, tokenize=False, add_generation_prompt=add_generation_prompt
        )
        structure, *pieces = prompt.split(_OPEN)
        chat.append(self._tokenize(structure))
        for piece in pieces:
            number, _, structure = piece.partition(_CLOSE)
            role, hints, text = contents[int(number)]
            for hint in hints:
                chat.append([self.image_token_id] * self.image_seq_length)
                chat.append(self._tokenize(hint, special=False))
            chat.append(self._tokenize(text, special=False), is_answer=role == "assistant")
            ids = self._tokenize(structure)
            ends_turn = int(role == "assistant" and ids[:1] != [] and ids[0] in self.tokenizer.all_special_ids)
            chat.append(ids[:ends_turn], is_answer=True)
            chat.append(ids[ends_turn:])
        return chat

    def count_tokens(self, text: str) -> int:
        """How many tokens a piece of plain text takes."""
        return len(self._tokenize(text, special=False))

    def _tokenize(self, text: str, *, special: bool = True) -> list[int]:
        if not text:
            return []
        return self.tokenizer(text, add_special_tokens=False, split_special_tokens=not special)["input_ids"]

    @staticmethod
    def _split_content(message: dict[str, Any]) -> tuple[list[Image.Image], list[str], str]:
        """The pictures of one message, the hint about each, and its text."""
        if message.get("role") not in ROLES:
            raise ValueError(f"role must be one of {', '.join(ROLES)}, got {message.get('role')!r}")
        content = message["content"]
        if isinstance(content, str):
            return [], [], content
        images, hints, texts = [], [], []
        for part in content:
            if part["type"] == "text":
                texts.append(part["text"])
            elif part["type"] == "image" and isinstance(part.get("image"), Image.Image):
                images.append(part["image"])
                hints.append(part.get("hint", ""))
            else:
                raise ValueError(
                    'a content part is {"type": "text", "text": str} or {"type": "image", "image": PIL.Image},'
                    f" got type {part['type']!r} with {sorted(set(part) - {'type'})}"
                )
        return images, hints, "\n".join(texts)

    def apply_chat_template(
        self,
        conversation: list[dict[str, Any]] | list[list[dict[str, Any]]],
        chat_template: str | None = None,
        *,
        add_generation_prompt: bool = True,
        tokenize: bool = True,
        return_dict: bool = True,
        return_tensors: str = "pt",
    ) -> BatchFeature:
        """One conversation or several -> input_ids, attention_mask [B, T] (padded on the left) and pixel_values.

        pixel_values [B, I, 3, S, S] are absent when there is no picture; a sample with fewer pictures than others
        is filled up with zeros that nothing looks at. Only token tensors are made: a rendered string could not tell
        a user's `<image>` from a picture.
        """
        if chat_template is not None or not (tokenize and return_dict and return_tensors == "pt"):
            raise ValueError(
                "VlmProcessor.apply_chat_template uses the saved template and returns a dict of torch tensors:"
                " leave chat_template, tokenize, return_dict and return_tensors as they are"
            )
        conversations = [conversation] if isinstance(conversation[0], dict) else conversation
        return self.collate(
            [self.encode_chat(messages, add_generation_prompt=add_generation_prompt) for messages in conversations]
        )

    def __call__(
        self,
        images: Any = None,
        text: str | list[str] | None = None,
        *,
        return_mm_token_type_ids: bool = False,
        return_text_replacement_offsets: bool = False,
        **kwargs: Any,
    ) -> BatchFeature:
        """Pictures, then plain text, without a chat template (for base models): one sample.

        Inference engines (vlm/backend.py) write one image token where a picture stands, and ask with `return_...` for
        what became of it: which tokens are a picture's (1), and the text that stands for each.
        """
        pictures = [images] if isinstance(images, Image.Image) else list(images or [])
        one = text[0] if isinstance(text, list) else text or ""
        if not (return_mm_token_type_ids or return_text_replacement_offsets):
            return self.collate([self._encode_text(pictures, one)])
        tokens = [self.image_token * self.image_seq_length] * len(pictures)
        (one,), offsets = self.get_text_with_replacements([one], tokens)
        batch = self.collate([EncodedChat(self._tokenize(one), images=pictures)])
        if return_mm_token_type_ids:
            batch["mm_token_type_ids"] = (batch["input_ids"] == self.image_token_id).long()
        if return_text_replacement_offsets:
            batch["text_replacement_offsets"] = offsets
        return batch

    def _get_num_multimodal_tokens(
        self, image_sizes: Sequence[tuple[int, int]] | None = None, **kwargs: Any
    ) -> MultiModalData:
        """What engines ask before they see a picture: its image tokens, the same for any (height, width)."""
        if image_sizes is None:
            return MultiModalData()
        pictures = len(image_sizes)
        return MultiModalData(num_image_tokens=[self.image_seq_length] * pictures, num_image_patches=[1] * pictures)

    def _encode_text(self, images: list[Image.Image], text: str) -> EncodedChat:
        chat = EncodedChat(images=images)
        if self.tokenizer.bos_token_id is not None:
            chat.append([self.tokenizer.bos_token_id])
        chat.append([self.image_token_id] * (len(chat.images) * self.image_seq_length))
        chat.append(self._tokenize(text, special=False))
        return chat

    def collate(self, chats: list[EncodedChat]) -> BatchFeature:
        """Encoded conversations -> one batch, padded on the left."""
        pad_id = self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else 0
        width = max(len(chat.input_ids) for chat in chats)
        batch = {
            "input_ids": torch.tensor([[pad_id] * (width - len(c.input_ids)) + c.input_ids for c in chats]),
            "attention_mask": torch.tensor([[0] * (width - len(c.input_ids)) + [1] * len(c.input_ids) for c in chats]),
        }
        if any(chat.images for chat in chats):
            batch["pixel_values"] = self.pixel_values([chat.images for chat in chats])
        return BatchFeature(batch)

    def pixel_values(self, images: list[list[Image.Image]]) -> torch.Tensor:
        """Pictures of each sample -> [B, I, 3, S, S]; missing ones are zeros."""
        size = self.image_processor.image_size
        values = torch.zeros(len(images), max(map(len, images)), 3, size, size)
        for row, pictures in zip(values, images, strict=True):
            if pictures:
                row[: len(pictures)] = self.image_processor(pictures, return_tensors="pt")["pixel_values"]
        return values


AutoProcessor.register(VlmConfig, VlmProcessor)
