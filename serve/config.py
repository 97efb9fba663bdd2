"""What a server run is: one frozen object, read from one YAML file. API keys are secrets, so they are not in it."""

import os
import stat
import string
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from vlm.run_config import ConfigError, RunConfig

from . import API_KEY_VARIABLE

MIB = 2**20
OPEN_TO_OTHERS = 0o027  # what a file of secrets must not allow: anything to others, writing to the group
LogFormat = Literal["text", "json"]
# Of the exact host, in small letters, without a port; of a page, what a browser sends as `Origin`.
HostName = Annotated[
    str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*$", max_length=253)
]
Origin = Annotated[str, StringConstraints(pattern=r"^(\*|https?://[a-z0-9.-]+(:[0-9]{1,5})?)$")]
# What a request calls an adapter by, as its `model`.
AdapterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class RayConfig(RunConfig):
    """`vlm serve --ray`: replicas of the model behind one address. See serve/ray_app.py."""

    address: str | None = None  # of a running Ray cluster; None: this machine alone, for as long as the server runs
    min_replicas: int = Field(1, ge=1)
    max_replicas: int = Field(2, ge=1)
    target_requests: float = Field(8.0, gt=0)  # answered or waiting, for each replica: more start one, fewer stop one
    cpus: float = Field(1.0, gt=0)  # of each replica, and its number of threads
    gpus: float = Field(0.0, ge=0)  # of each replica

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"min_replicas ({self.min_replicas}) is more than max_replicas ({self.max_replicas})")
        return self


class ServeConfig(RunConfig):
    """The API server, and where the web page beside it listens. Every limit is per request."""

    model: str = "mini"  # a name, a checkpoint folder or a hub id, as `vlm.load` takes it
    quantization: str | None = None  # None: as the model was saved
    device: str | None = None  # None: a GPU if there is one
    adapter: str | None = None  # a peft folder to put on top of the model
    adapters: dict[AdapterName, str] = Field(default_factory=dict)  # peft folders by the `model` that requests name
    adapters_dir: Path | None = None  # where more of them may be loaded from while the server runs; None: none may
    max_adapters: int = Field(16, gt=0)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    ui_port: int = Field(8501, ge=1, le=65535)  # the web page, always on 127.0.0.1
    allowed_hosts: tuple[str, ...] = ()  # names a client may use in `Host` besides the loopback ones
    allowed_origins: tuple[Origin, ...] = ()  # web pages elsewhere that may call the API (CORS); none by default
    api_keys_file: Path | None = None  # a key a line, # for comments; else $REGARD_API_KEY; else the API is open
    admin_keys_file: Path | None = None  # the same, of keys that may also load and unload adapters

    default_temperature: float = Field(0.0, ge=0, le=2)  # OpenAI's is 1; a small model is most often right when greedy
    default_max_tokens: int = Field(512, gt=0)
    max_answers: int = Field(16, gt=0)  # at once, where the model can (see vlm/engine)
    max_waiting: int = Field(32, ge=0)  # requests that wait for their turn; one more gets a 429
    deadline: float = Field(600.0, gt=0)  # seconds for a whole answer, its time in the queue included
    max_body_bytes: int = Field(64 * MIB, gt=0)
    body_timeout: float = Field(60.0, gt=0)  # seconds a client may take to send its request
    max_messages: int = Field(256, gt=0)
    max_parts: int = Field(512, gt=0)  # content parts, over all messages
    max_text_chars: int = Field(200_000, gt=0)  # over all messages
    max_images: int = Field(8, ge=0)  # over all messages
    max_image_bytes: int = Field(20 * MIB, gt=0)
    max_image_pixels: int = Field(40_000_000, gt=0)
    max_total_pixels: int = Field(80_000_000, gt=0)  # over all pictures: three bytes of memory each while it waits
    allow_image_domains: tuple[HostName, ...] = ()  # hosts whose https:// pictures are loaded; none by default
    image_fetch_timeout: float = Field(10.0, gt=0)  # seconds to load all pictures of a request from the web
    drain_seconds: float = Field(20.0, ge=0)  # after SIGTERM, how long what runs may go on
    log_format: LogFormat = "text"  # or "json", one object a line
    ray: RayConfig = RayConfig.model_construct()  # for `vlm serve --ray`

    @property
    def base_url(self) -> str:
        """Where a client on this machine finds the API."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/v1"

    @property
    def host_names(self) -> tuple[str, ...] | None:
        """What `Host` may say, or None for anything: a name is only checked where the address itself is private."""
        return (*LOOPBACK, self.host, *self.allowed_hosts) if self.host in LOOPBACK or self.allowed_hosts else None


def read_api_keys(config: ServeConfig) -> tuple[str, ...]:
    """The keys in `api_keys_file`, else those in $REGARD_API_KEY; none if there is neither, and then the API is open.

    Raises ConfigError where keys are meant to be and are not, or where others can read them: such a server must not
    start, least of all open.
    """
    if config.api_keys_file is None:
        text = os.environ.get(API_KEY_VARIABLE)
        if text is not None and not text.strip(f",{string.whitespace}"):
            raise ConfigError(f"${API_KEY_VARIABLE} is set but empty: put a key there, or unset it for an open server")
        return tuple((text or "").replace(",", " ").split())
    return _keys_in(config.api_keys_file, "api_keys_file")


def read_admin_keys(config: ServeConfig) -> tuple[str, ...]:
    """The keys in `admin_keys_file`; none if there is no such file. Raises ConfigError as `read_api_keys` does."""
    return () if config.admin_keys_file is None else _keys_in(config.admin_keys_file, "admin_keys_file")


def _keys_in(path: Path, setting: str) -> tuple[str, ...]:
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{setting} {path} cannot be read: {reason}") from None
    if mode & OPEN_TO_OTHERS:
        raise ConfigError(f"{setting} {path} can be read or changed by other users (mode {mode:03o}): chmod 600 {path}")
    keys = tuple(line for line in lines if line and not line.startswith("#"))
    if not keys:
        raise ConfigError(f"{setting} {path} holds no key; it must have one a line (lines with # are comments)")
    if unusable := [number for number, line in enumerate(lines, start=1) if line in keys and len(line.split()) > 1]:
        raise ConfigError(f"{setting} {path}, line {unusable[0]}: a key cannot have spaces in it")
    return keys
