"""Checking what came over the wire: one frozen class for each kind of object, unsupported fields refused by name."""

import json
import logging
from collections.abc import Iterable, Mapping, Set
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from .errors import BadRequest

logger = logging.getLogger(__name__)

Tag = Annotated[str, StringConstraints(max_length=512)]

# A field that is not implemented, with the values that ask for nothing; null always does.
Unsupported = Mapping[str, tuple[Any, ...]]


class Wire(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


W = TypeVar("W", bound=Wire)


def validate(kind: type[W], values: dict[str, Any]) -> W:
    """The values as that kind of request, or a BadRequest with the first field at fault, which is never quoted."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        param = _path(first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise BadRequest(f"{param}: {message}." if param else f"{message}.", param=param or None) from None


def refuse_fields(values: Any, prefix: str, unsupported: Unsupported) -> None:
    """BadRequest where an object asks for what is not implemented; `prefix` is where it stands in the request."""
    for name, harmless in unsupported.items() if isinstance(values, dict) else ():
        if (found := values.get(name)) is None or any(_is_same(found, value) for value in harmless):
            continue
        allowed = " or ".join(json.dumps(value) for value in harmless)
        hint = f"leave it out or set it to {allowed}" if allowed else "leave it out"
        raise not_supported(f"{prefix}{name}", f"{prefix}{name} is not supported by this server: {hint}.")


def refuse_kinds(found: Any, unsupported: tuple[str, ...], param: str) -> None:
    """BadRequest where `found`, the word that says what kind an object is, is one that is not implemented."""
    for kind in unsupported:
        if found == kind:
            raise not_supported(param, f"{param} '{kind}' is not supported by this server.")


def not_supported(param: str, message: str) -> BadRequest:
    return BadRequest(message, param=param, code="unsupported_parameter")


def items(value: Any) -> list[Any]:
    """The items of a list; none of anything else, whose type is checked later."""
    return value if isinstance(value, list) else []


def log_ignored(values: dict[str, Any], known: Set[str]) -> None:
    if unknown := [name for name in values if name not in known]:
        shown = ", ".join(ascii(name[:40]) for name in unknown[:8])
        logger.info("ignored %d unknown request field(s): %s", len(unknown), shown)


def _is_same(found: Any, value: Any) -> bool:
    return bool(found == value) and isinstance(found, bool) == isinstance(value, bool)  # in Python true == 1


def _path(location: Iterable[int | str]) -> str:
    """('messages', 0, 'content') -> messages[0].content"""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(".")
