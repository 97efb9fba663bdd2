"""GET /docs: what this API takes, as one page that loads nothing from anywhere.

FastAPI's own pages fetch their scripts from the web, which a machine without it cannot; and the routes read their
bodies themselves, so that there is no more in them than here.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from starlette.responses import HTMLResponse

from .adapters import LoadAdapter, UnloadAdapter
from .completions import CompletionRequest
from .reading import ReadRequest
from .responses import ResponsesRequest
from .schemas import ChatRequest
from .wire import Wire

POSTS: Mapping[str, tuple[type[Wire], str, str]] = {
    "/v1/chat/completions": (
        ChatRequest,
        "Answers a conversation about pictures, as OpenAI's chat completions do. Pictures are data: URLs, or https://"
        " ones of the hosts that this server is allowed to load from.",
        '{"model": "mini", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url":'
        ' "data:image/png;base64,..."}}, {"type": "text", "text": "What is in the picture?"}]}]}',
    ),
    "/v1/responses": (
        ResponsesRequest,
        "The same in the form of OpenAI's responses; nothing is stored.",
        '{"model": "mini", "input": "Write a sentence about the sea."}',
    ),
    "/v1/completions": (
        CompletionRequest,
        "Goes on with a text, without a conversation around it.",
        '{"model": "mini", "prompt": "Once upon a time"}',
    ),
    "/v1/read": (
        ReadRequest,
        "Reads a chart, a diagram or a table as data.",
        '{"image": "data:image/png;base64,..."}',
    ),
    "/v1/load_lora_adapter": (
        LoadAdapter,
        "Offers an adapter of the server's adapters_dir as a model of that name. With a key of admin_keys_file; a"
        " server for its own machine alone that has no keys takes it without one.",
        '{"lora_name": "mine", "lora_path": "folder-in-adapters_dir"}',
    ),
    "/v1/unload_lora_adapter": (
        UnloadAdapter,
        "Offers it no more; what has been asked of it is still answered.",
        '{"lora_name": "mine"}',
    ),
}
GETS = {
    "/v1/models": "The model that is here, and its adapters.",
    "/health": "200 while the server is worth keeping; without a key.",
    "/ready": "200 while a new request would be taken; without a key.",
    "/metrics": "Counters for Prometheus.",
    "/version": "The version of the server.",
    "/docs": "This page.",
}
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;padding:.7rem;background:#8881}"
    "td,th{text-align:left;padding:.1rem 1rem .1rem 0;vertical-align:top}"
)
HEADERS = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}


def docs_page() -> HTMLResponse:
    posts = "".join(_post(path, *rest) for path, rest in POSTS.items())
    gets = "".join(f"<tr><td><code>{path}</code><td>{escape(text)}" for path, text in GETS.items())
    body = (
        f"<h1>Regard's API</h1><p>Where the server has keys, every request has <code>Authorization: Bearer KEY</code>."
        f' An error is <code>{{"error": {{message, type, param, code}}}}</code>.</p>{posts}'
        f"<h2>Paths to GET</h2><table>{gets}</table>"
    )
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Regard</title><style>{STYLE}</style>{body}'
    return HTMLResponse(page, headers=HEADERS)


def _post(path: str, kind: type[Wire], text: str, example: str) -> str:
    schema = kind.model_json_schema()
    required = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code><td>{escape(_type(field))}<td>{'required' if name in required else ''}"
        for name, field in schema["properties"].items()
    )
    return (
        f"<h2>POST <code>{path}</code></h2><p>{escape(text)}</p><pre>{escape(example)}</pre>"
        f"<table><tr><th>field<th>value<th>{rows}</table>"
    )


def _type(field: Mapping[str, Any]) -> str:
    """What a field may hold, in a few words."""
    if "anyOf" in field:
        return " or ".join(_type(one) for one in field["anyOf"] if one.get("type") != "null")
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    name = field.get("type") or field.get("$ref", "any value").rpartition("/")[2]
    if name == "array":
        name = f"list of {_type(field.get('items', {}))}"
    least = field.get("minimum", field.get("exclusiveMinimum"))
    most = field.get("maximum", field.get("exclusiveMaximum"))
    limits = [f"{word} {limit}" for word, limit in (("from", least), ("to", most)) if limit is not None]
    return " ".join([name, *limits])
