"""Preference data: a row with the answer that people chose and one that they rejected.

    {"messages": [..., {"role": "assistant", "content": CHOSEN}], "rejected": REJECTED}
    {"prompt": [...], "chosen": [...], "rejected": [...], "images": [...]}                  (TRL)
    {"conversations": [...], "chosen": {...}, "rejected": {...}, "image": ...}              (LLaMA-Factory)
    image,question,chosen,rejected                                                         (a table)

An answer is text, a message, or a list of messages that ends with it.
"""

from typing import Any

from .row import Problem, kind_of


def split_pair(record: dict[Any, Any]) -> tuple[dict[Any, Any], str]:
    """A row as if it had the chosen answer alone, and the rejected one; "" where it is no pair. Raises Problem."""
    if record.get("rejected") is None:
        return record, ""
    rest = {name: value for name, value in record.items() if name != "rejected"}
    rejected, chosen = _text(record["rejected"], "rejected"), record.get("chosen")
    if chosen is None:
        return rest, rejected
    said = {"role": "assistant", "content": _text(chosen, "chosen")}
    if "conversations" in record:
        turns = record["conversations"]
        if isinstance(turns, list):  # else it is read as it stands, and refused
            rest["conversations"] = [*turns, {"from": "gpt", "value": said["content"]}]
        return rest, rejected
    asked = record.get("messages", record.get("prompt"))
    if isinstance(asked, list):
        return {**rest, "messages": [*asked, said]}, rejected
    if asked is None and isinstance(chosen, list) and len(chosen) > 1:  # the whole conversation, twice
        return {**rest, "messages": [*chosen[:-1], said]}, rejected
    return rest, rejected  # a table


def _text(answer: Any, name: str) -> str:
    """The words of an answer. Raises Problem."""
    last = answer[-1] if isinstance(answer, list) and answer else answer
    if isinstance(last, dict):
        last = last.get("content", last.get("value"))
    if isinstance(last, list) and all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in last):
        last = "\n".join(part["text"] for part in last)
    if not isinstance(last, str):
        raise Problem("form", f"{name} must be an answer: text, or a message with text, found {kind_of(answer)}")
    return last
