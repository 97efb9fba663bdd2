"""Pictures from the web, only from hosts that the owner of the server named (`allow_image_domains`), and with care.

A URL is taken apart once, here, and what was found is what is used: the name for the list, the look-up, the certificate
and the `Host` header. The name is looked up once; every address must be public, and the connection goes to one of those
very addresses, so that a second look-up cannot lead elsewhere. Each redirect passes through all of this again. There
are no proxies, no cookies, no credentials and no other scheme or port than those of https. The deadline is of all
pictures of a request together.
"""

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus

import h11

from .addresses import is_public
from .config import ServeConfig
from .errors import BadRequest

logger = logging.getLogger(__name__)

HTTPS_PORT = 443
MAX_REDIRECTS = 3
MAX_URL_CHARS = 2048
MAX_HEADER_BYTES = 16384
MAX_ADDRESSES = 16
READ_BYTES = MAX_HEADER_BYTES  # h11 checks a header that is not complete, after each read
MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")
# Nothing but a name, port 443 and printable ASCII: no user, no backslash, no space, nothing that two readers could read
# in two ways. A fragment is never sent, so it is not taken.
HTTPS_URL = re.compile(r"https://(?P<host>[a-z0-9.-]{1,253})(?::443)?(?P<target>/[!-\"$-\[\]-~]*)?", re.IGNORECASE)
SCHEME = re.compile(r"https:", re.IGNORECASE)

Resolve = Callable[[str], Awaitable[Sequence[str]]]
Connect = Callable[[str, str], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class FetchError(Exception):
    """Why a picture was not loaded. The message is for our log, the code and `words` for the client."""

    def __init__(self, message: str, code: str = "image_not_loaded", words: str = "the picture could not be loaded"):
        super().__init__(message)
        self.code = code
        self.words = words


@dataclass(frozen=True)
class Page:
    """What a server answered. `location` is set where it points elsewhere."""

    data: bytes = b""
    location: str | None = None


async def resolve_name(host: str) -> list[str]:
    """Every address of a host, from the system's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, HTTPS_PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def connect_tls(address: str, host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to that address, where the certificate must be the host's."""
    return await asyncio.open_connection(address, HTTPS_PORT, ssl=_tls(), server_hostname=host)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class RemoteImages:
    """Loads pictures from the named hosts. `resolve` and `connect` are how names and addresses are reached."""

    def __init__(
        self,
        domains: Collection[str],
        max_bytes: int,
        timeout: float,
        *,
        resolve: Resolve = resolve_name,
        connect: Connect = connect_tls,
    ):
        self.domains = frozenset(domains)
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._resolve = resolve
        self._connect = connect

    @classmethod
    def of(cls, config: ServeConfig) -> "RemoteImages":
        return cls(config.allow_image_domains, config.max_image_bytes, config.image_fetch_timeout)

    async def fetch(self, urls: Sequence[tuple[str, str]]) -> dict[str, bytes]:
        """url -> file, of every https URL among (field, url) pairs; BadRequest names the field of one that fails.

        Nothing is loaded where no host is named, and the URLs are left to who decodes the others.
        """
        files: dict[str, bytes] = {}
        deadline = asyncio.get_running_loop().time() + self._timeout
        for param, url in urls if self.domains else ():
            if SCHEME.match(url) and url not in files:
                files[url] = await self._load(param, url, deadline)
        return files

    async def _load(self, param: str, url: str, deadline: float) -> bytes:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._follow(url)
        except TimeoutError:
            error = FetchError("it took too long", "image_timeout", "loading it took too long")
        except FetchError as found:
            error = found
        logger.info("a picture was not loaded from the web: %s", error)
        raise BadRequest(f"{param}: {error.words}.", param=param, code=error.code)

    async def _follow(self, url: str) -> bytes:
        for _ in range(1 + MAX_REDIRECTS):
            host, target = self._take_apart(url)
            page = await self._get(await self._find(host), host, target)
            if page.location is None:
                return page.data
            is_path = page.location.startswith("/") and not page.location.startswith("//")
            url = f"https://{host}{page.location}" if is_path else page.location
        raise FetchError(f"more than {MAX_REDIRECTS} redirects")

    def _take_apart(self, url: str) -> tuple[str, str]:
        """(host, target) of a URL on a host that is allowed."""
        parts = HTTPS_URL.fullmatch(url) if len(url) <= MAX_URL_CHARS else None
        if parts is None:
            raise FetchError("not a plain https URL", "invalid_image_url", "it is not a plain https:// URL")
        host = parts["host"].lower()
        if host not in self.domains:
            words = "this server loads no pictures from that host"
            raise FetchError("a host that is not in allow_image_domains", "image_host_not_allowed", words)
        return host, parts["target"] or "/"

    async def _find(self, host: str) -> Sequence[str]:
        """The addresses of a host, all of them public."""
        try:
            addresses = await self._resolve(host)
        except (OSError, UnicodeError):
            raise FetchError(f"{host} is not known to the resolver") from None
        if not addresses or len(addresses) > MAX_ADDRESSES or not all(map(is_public, addresses)):
            raise FetchError(f"{host} has addresses that are not public")
        return addresses

    async def _get(self, addresses: Sequence[str], host: str, target: str) -> Page:
        reader, writer = await self._dial(addresses, host)
        try:
            return await self._exchange(reader, writer, host, target)
        except (OSError, h11.ProtocolError) as error:
            raise FetchError(f"{host} broke off or does not speak HTTP ({type(error).__name__})") from None
        finally:
            writer.transport.abort()  # nothing more is wanted of it, and nobody waits until it has agreed

    async def _dial(self, addresses: Sequence[str], host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for address in addresses:
            try:
                return await self._connect(address, host)
            except OSError:  # also of TLS
                continue
        raise FetchError(f"{host} cannot be connected to, or has not the certificate of that name")

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, target: str
    ) -> Page:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)
        headers = [
            ("host", host),
            ("user-agent", "regard"),
            ("accept", ", ".join(MEDIA_TYPES)),
            ("accept-encoding", "identity"),
            ("connection", "close"),
        ]
        request = connection.send(h11.Request(method="GET", target=target, headers=headers))
        writer.write((request or b"") + (connection.send(h11.EndOfMessage()) or b""))
        await writer.drain()
        data = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(READ_BYTES))
            elif isinstance(event, h11.Response):
                if (location := self._check(event, host)) is not None:
                    return Page(location=location)
            elif isinstance(event, h11.Data):
                data += event.data
                self._check_size(len(data), host)
            elif isinstance(event, h11.EndOfMessage):
                return Page(bytes(data))
            elif not isinstance(event, h11.InformationalResponse):
                raise FetchError(f"{host} closed the connection")

    def _check(self, response: h11.Response, host: str) -> str | None:
        """Where it points elsewhere, that place; FetchError for what is not a picture of a size that we take."""
        headers = {name: value.decode("latin-1") for name, value in response.headers}
        status = response.status_code
        if status in (301, 302, 303, 307, 308) and b"location" in headers:
            return headers[b"location"]
        if status != HTTPStatus.OK:
            raise FetchError(f"{host} answered with status {status}")
        if headers.get(b"content-encoding", "identity").strip().lower() != "identity":
            raise FetchError(f"{host} sent the picture compressed")
        media_type = headers.get(b"content-type", "").partition(";")[0].strip().lower()
        if media_type not in MEDIA_TYPES:
            words = "what is there is not a PNG, JPEG, WebP or GIF picture"
            raise FetchError(f"{host} sent something else than a picture", "image_unsupported", words)
        self._check_size(int(headers.get(b"content-length", "0")), host)  # h11 has checked that it is a number
        return None

    def _check_size(self, size: int, host: str) -> None:
        if size > self._max_bytes:
            words = f"it has more than {self._max_bytes} bytes, the most that this server takes for one picture"
            raise FetchError(f"{host} sent more than {self._max_bytes} bytes", "image_too_large", words)
