"""What is left out of a conversation that is longer than a training row.

Whole early turns go first, a question and the answer to it at a time. Not one that brings a picture: any later turn may
be about it; nor the last. Where that is not enough, the last answer loses its end, and the token that ends it with it,
so that nobody learns to stop there. A picture is never cut from its question: where all that stands before the last
answer is too long by itself, nothing can be done, and `vlm data check` and training name the row.
"""

from dataclasses import dataclass

from vlm.processing_vlm import EncodedChat, VlmProcessor

from .readers.row import Messages, pictures_of


@dataclass(frozen=True)
class Fitted:
    """Conversations that fit, and what that took."""

    chats: list[EncodedChat]
    turns: int = 0  # that are left out
    lost: str = ""  # the end of an answer that is left out
    prompt: int = 0  # tokens before the last answer, where these are too many: then the chats are whole

    @property
    def is_whole(self) -> bool:
        return not self.turns and not self.lost


def fit(conversations: list[Messages], processor: VlmProcessor, max_tokens: int) -> Fitted:
    """One conversation, or several that differ in their last answer: of all of them the same turns are left out."""
    whole = [processor.encode_chat(messages) for messages in conversations]
    chats, turns, may_go = whole, 0, _turns_that_may_go(conversations[0])
    while _longest(chats) > max_tokens and turns < len(may_go):
        turns += 1
        gone = {place for turn in may_go[:turns] for place in turn}
        shorter = [[m for place, m in enumerate(messages) if place not in gone] for messages in conversations]
        chats = [processor.encode_chat(messages) for messages in shorter]
    prompt = max(map(_start_of_last_answer, chats))
    if prompt >= max_tokens:
        return Fitted(whole, prompt=prompt)
    beyond = [
        [token for token, is_answer in zip(chat.input_ids[max_tokens:], chat.is_answer[max_tokens:], strict=True)
         if is_answer]
        for chat in chats
    ]  # fmt: skip
    lost = processor.tokenizer.decode(max(beyond, key=len))
    cut = [EncodedChat(chat.input_ids[:max_tokens], chat.is_answer[:max_tokens], chat.images) for chat in chats]
    return Fitted(cut, turns, lost)


def _longest(chats: list[EncodedChat]) -> int:
    return max(len(chat.input_ids) for chat in chats)


def _start_of_last_answer(chat: EncodedChat) -> int:
    """The place of its first token; 0 where there is no answer."""
    place = len(chat.is_answer)
    while place and not chat.is_answer[place - 1]:
        place -= 1
    while place and chat.is_answer[place - 1]:
        place -= 1
    return place


def _turns_that_may_go(messages: Messages) -> list[list[int]]:
    """The places of the messages of every turn but the last that brings no picture; a turn begins with a question."""
    turns: list[list[int]] = [[]]
    said = ""
    for place, message in enumerate(messages):
        if message["role"] == "system":  # stays
            continue
        if message["role"] == "user" and said not in ("", "user"):
            turns.append([])
        turns[-1].append(place)
        said = message["role"]
    return [turn for turn in turns[:-1] if not pictures_of([messages[place] for place in turn])]
