"""How likely each token was, in the two forms that OpenAI has for it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from vlm.sampling import TokenLogprob

Spell = Callable[[int], tuple[str, bytes | None]]  # a token as text, and its bytes where they are known


def chat_logprobs(found: Iterable[TokenLogprob], spell: Spell) -> dict[str, Any]:
    """`choices[].logprobs` of a chat."""

    def entry(token: int, logprob: float) -> dict[str, Any]:
        text, data = spell(token)
        return {"token": text, "logprob": logprob, "bytes": None if data is None else list(data)}

    content = [
        {**entry(one.token, one.logprob), "top_logprobs": [entry(token, logprob) for token, logprob in one.top]}
        for one in found
    ]
    return {"content": content, "refusal": None}


def completion_logprobs(found: Sequence[TokenLogprob], spell: Spell, offset: int) -> dict[str, Any]:
    """`choices[].logprobs` of a completion. `offset`: the characters of the answer's earlier tokens."""
    texts = [spell(one.token)[0] for one in found]
    offsets = [offset + sum(map(len, texts[:i])) for i in range(len(texts))]
    return {
        "tokens": texts,
        "token_logprobs": [one.logprob for one in found],
        # The likeliest tokens, and the one that was taken.
        "top_logprobs": [
            {spell(token)[0]: logprob for token, logprob in (*reversed(one.top), (one.token, one.logprob))}
            for one in found
        ],
        "text_offset": offsets,
    }
