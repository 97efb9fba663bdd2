"""A small client of the API, for the web page and for scripts. It needs neither the model nor the rest of `serve`.

client = Client("http://127.0.0.1:8000/v1")
content = [image_part(Path("chart.png").read_bytes()), {"type": "text", "text": "What is the title?"}]
for delta in client.stream([{"role": "user", "content": content}], model=client.models()[0]):
    print(delta.text, end="")
"""

import base64
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from . import API_KEY_VARIABLE

__all__ = ["API_KEY_VARIABLE", "Client", "Delta", "ServerError", "image_part"]

ANSWER_TIMEOUT = 600.0  # seconds between two pieces of an answer; the first one may wait in the server's queue
MODELS_TIMEOUT = 5.0


class ServerError(Exception):
    """Why there is no answer, in words for the person who asked."""


@dataclass(frozen=True)
class Delta:
    """A piece of an answer. `finish_reason` is set on the last one: "stop", or "length" when it was cut off."""

    text: str
    finish_reason: str | None = None


class Client:
    """Speaks to one server, directly: no proxy. `base_url` ends in /v1, as for OpenAI's own client."""

    def __init__(self, base_url: str, api_key: str | None = None, http_client: httpx2.Client | None = None):
        self.base_url = base_url.rstrip("/")
        self._headers = {} if api_key is None else {"authorization": f"Bearer {api_key}"}
        self._http = httpx2.Client(trust_env=False) if http_client is None else http_client

    def models(self) -> list[str]:
        """The names of the models that the server offers. Raises ServerError."""
        with self._plain_errors():
            response = self._http.get(f"{self.base_url}/models", headers=self._headers, timeout=MODELS_TIMEOUT)
            self._check(response)
            return [str(model["id"]) for model in response.json()["data"]]

    def stream(self, messages: list[dict[str, Any]], *, model: str, **options: Any) -> Generator[Delta, None, None]:
        """The answer piece by piece. Closing the generator ends the generation on the server. Raises ServerError.

        `options` are further fields of the request (temperature, max_tokens, blind, ...); one that is None is left out.
        """
        body = {"model": model, "messages": messages, "stream": True, **options}
        body = {name: value for name, value in body.items() if value is not None}
        url = f"{self.base_url}/chat/completions"
        timeout = httpx2.Timeout(ANSWER_TIMEOUT, connect=MODELS_TIMEOUT)
        with (
            self._plain_errors(),
            self._http.stream("POST", url, json=body, headers=self._headers, timeout=timeout) as response,
        ):
            if response.status_code != 200:
                response.read()
            self._check(response)
            for line in response.iter_lines():
                if line == "data: [DONE]":
                    return
                if line.startswith("data: "):
                    yield from _read_event(json.loads(line.removeprefix("data: ")))
        raise ServerError("The answer broke off: the server closed the connection. Its log says why.")

    def read(self, data: bytes) -> dict[str, Any]:
        """What the picture in a file shows, as data: `family`, `structure`, `rows`, `facts`, ... Raises ServerError."""
        body = {"image": image_part(data)["image_url"]["url"]}
        timeout = httpx2.Timeout(ANSWER_TIMEOUT, connect=MODELS_TIMEOUT)
        with self._plain_errors():
            response = self._http.post(f"{self.base_url}/read", json=body, headers=self._headers, timeout=timeout)
            self._check(response)
            reading = response.json()
            if reading["object"] != "reading":
                raise ValueError
            return dict(reading)

    def load_adapter(self, name: str, folder: str) -> None:
        """Offer an adapter of the server's `adapters_dir` as a model of that name. Raises ServerError."""
        self._manage("load_lora_adapter", {"lora_name": name, "lora_path": folder})

    def unload_adapter(self, name: str) -> None:
        """Offer it no more. Raises ServerError."""
        self._manage("unload_lora_adapter", {"lora_name": name})

    def _manage(self, path: str, body: dict[str, str]) -> None:
        with self._plain_errors():
            url = f"{self.base_url}/{path}"
            self._check(self._http.post(url, json=body, headers=self._headers, timeout=ANSWER_TIMEOUT))

    def close(self) -> None:
        self._http.close()

    @contextmanager
    def _plain_errors(self) -> Generator[None, None, None]:
        address = self.base_url.removesuffix("/v1")
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise ServerError(f"No server answers at {address}. Start it with `vlm serve`.") from None
        except httpx2.TimeoutException:
            raise ServerError(f"The server at {address} took too long. It may be busy: try again.") from None
        except httpx2.HTTPError:
            raise ServerError(f"The connection to {address} broke off. Is the server still running?") from None
        except (ValueError, KeyError, TypeError):
            raise ServerError(f"What answers at {address} is not Regard's server.") from None

    def _check(self, response: httpx2.Response) -> None:
        if response.status_code == 401:
            raise ServerError(f"The server wants an API key, and did not get the right one: set ${API_KEY_VARIABLE}.")
        if response.status_code != 200:
            raise ServerError(_error_message(response.json()))


def _read_event(event: dict[str, Any]) -> Generator[Delta, None, None]:
    if "error" in event:
        raise ServerError(_error_message(event))
    for choice in event["choices"]:
        text, finish_reason = choice["delta"].get("content") or "", choice["finish_reason"]
        if text or finish_reason is not None:
            yield Delta(text, finish_reason)


def _error_message(body: dict[str, Any]) -> str:
    return str(body["error"]["message"])


def image_part(data: bytes, media_type: str = "image/png") -> dict[str, Any]:
    """A picture file as a content part of a message. The server looks at the data, not at `media_type`."""
    url = f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
    return {"type": "image_url", "image_url": {"url": url}}
