"""Requests to the API server: plain JSON, modest retries, and every failure a fault that says what was tried."""

from __future__ import annotations

import asyncio
import resource
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import msgspec
from kubernetes.aio import client as kube
from kubernetes.aio import config as untyped_config
from yaml import YAMLError

from netassay import __version__
from netassay.cluster.errors import api_error
from netassay.errors import HarnessFault, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

# Its functions carry no types.
kube_config: Any = untyped_config

RETRIES = 5
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
# As many connections as there are probes, for a stream to each: it is requests and openings that are limited.
NO_LIMIT = 0
REQUESTS_AT_ONCE = 64
OPENINGS_AT_ONCE = 64
OPENING_SECONDS = 15.0
# Each stream takes a file descriptor, and shells usually give a process 1,024.
DESCRIPTORS = 65_536
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)
_WORTH_RETRYING = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_UNUSABLE = (untyped_config.ConfigException, YAMLError, OSError, ValueError, KeyError, TypeError)


class Api:
    """One connection pool to one API server. Everything here runs on the cluster's event loop."""

    def __init__(self, configuration: Any, loader: Any = None) -> None:
        """Use `connect`."""
        self.server: str = configuration.host
        self._configuration, self._loader = configuration, loader
        self._client: Any = kube.ApiClient(configuration)
        self._client.user_agent = f"netassay/{__version__}"
        self._hostname: str | None = configuration.tls_server_name or None
        self._requests, self._openings = asyncio.Semaphore(REQUESTS_AT_ONCE), asyncio.Semaphore(OPENINGS_AT_ONCE)

    @classmethod
    async def connect(cls, *, kubeconfig: str | None, context: str | None, in_cluster: bool) -> Api:
        """Read the configuration; nothing is sent yet. UsageError says what is wrong with it."""
        configuration = kube.Configuration()
        configuration.connection_pool_maxsize = NO_LIMIT
        _raise_descriptor_limit()
        if in_cluster and (kubeconfig or context):
            raise UsageError("in-cluster credentials and a kubeconfig cannot both be used: leave out one of them")
        where = kubeconfig or kube_config.KUBE_CONFIG_DEFAULT_LOCATION
        loader = None
        try:
            if in_cluster:
                kube_config.load_incluster_config(client_configuration=configuration)
            else:
                loader = await kube_config.load_kube_config(
                    config_file=kubeconfig, context=context, client_configuration=configuration
                )
            return cls(configuration, loader)
        except _UNUSABLE as error:
            if in_cluster:
                raise UsageError(f"no in-cluster credentials: {error}; outside a pod, use --kubeconfig FILE") from error
            named = f"kubeconfig {where}" + (f", context {context}" if context else "")
            raise UsageError(f"{named}: {_plain(error)}; give --kubeconfig FILE [--context NAME]") from error

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def request(
        self,
        what: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> bytes:
        """The response's body. `what` says in a fault what was tried, as in "create Pod x in y"."""
        url = self.server + path + (f"?{urlencode(query)}" if query else "")
        renewed = False
        pause = FIRST_PAUSE_SECONDS
        for turn in range(RETRIES):
            last = turn == RETRIES - 1
            try:
                headers = {"Accept": "application/json", "Content-Type": content_type, **await self._headers()}
                async with self._requests:
                    response = await self._client.rest_client.request(
                        method, url, headers=headers, body=body, _request_timeout=_TIMEOUT
                    )
                    data: bytes = await response.read()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                if last or _hopeless(error):
                    raise HarnessFault(f"{what}: no answer from {self.server}: {_plain(error)}") from error
            else:
                if response.status < HTTPStatus.BAD_REQUEST:
                    return data
                if response.status == HTTPStatus.UNAUTHORIZED and not renewed and not last:
                    renewed = True
                    await self._renew()
                elif last or response.status not in _WORTH_RETRYING:
                    reason, words = _status_words(data)
                    raise api_error(what, self.server, response.status, reason, words, retried=turn > 0)
                after = response.headers.get("Retry-After", "")
                pause = min(max(pause, float(after)), LONGEST_PAUSE_SECONDS) if after.isdigit() else pause
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        raise AssertionError("unreachable: the last turn returns or raises")

    async def json(self, what: str, method: str, path: str, **options: Any) -> dict[str, Any]:
        """As `request`, decoded."""
        data = await self.request(what, method, path, **options)
        try:
            return msgspec.json.decode(data, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise HarnessFault(f"{what}: {self.server} sent no JSON object: {error}") from error

    async def websocket(self, path: str, query: list[tuple[str, str]]) -> aiohttp.ClientWebSocketResponse[bool]:
        """Open a websocket that speaks `channel.k8s.io`, in its turn. Raises aiohttp.ClientError or OSError.

        Pings and pongs are received like all else, and are the caller's to answer.
        """
        # The official client's own WsApiClient drops proxy-url and tls-server-name, which some kubeconfigs need.
        rest = self._client.rest_client
        if rest.pool_manager is None:
            # As WsApiClient does.
            rest.pool_manager = rest._create_pool_manager()
        scheme = "wss" if urlsplit(self.server).scheme == "https" else "ws"
        url = f"{scheme}://{self.server.partition('://')[2]}{path}?{urlencode(query)}"
        # Thousands of handshakes at once would all be late; one after the other, each has its time.
        async with self._openings, asyncio.timeout(OPENING_SECONDS):
            stream: aiohttp.ClientWebSocketResponse[bool] = await rest.pool_manager.ws_connect(
                url,
                protocols=("v5.channel.k8s.io", "v4.channel.k8s.io"),
                headers=await self._headers(),
                autoping=False,
                max_msg_size=0,
                proxy=rest.proxy,
                proxy_headers=rest.proxy_headers,
                server_hostname=self._hostname,
            )
            return stream

    async def pages(self, what: str, path: str, query: dict[str, str | int]) -> AsyncIterator[dict[str, Any]]:
        """The pages of a list."""
        page = await self.json(what, "GET", path, query=query)
        yield page
        while token := page.get("metadata", {}).get("continue"):
            page = await self.json(what, "GET", path, query={**query, "continue": token})
            yield page

    async def _headers(self) -> dict[str, str]:
        bearer = (await self._configuration.auth_settings()).get("BearerToken")
        headers = {"User-Agent": self._client.user_agent}
        return {**headers, bearer["key"]: bearer["value"]} if bearer else headers

    async def _renew(self) -> None:
        # Short-lived tokens come from a file or a command of the kubeconfig: what has expired is simply read again.
        if self._loader is not None:
            try:
                await self._loader.load_and_set(self._configuration)
            except _UNUSABLE as error:
                raise UsageError(
                    f"the kubeconfig's credentials have expired, and no new ones come: {_plain(error)}"
                ) from error


def _raise_descriptor_limit() -> None:
    """Let this process have as many descriptors as a stream to each probe of a large cluster takes, if it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _hopeless(error: BaseException) -> bool:
    """Whether trying again cannot help: the certificates do not match."""
    return isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError))


def _plain(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _status_words(data: bytes) -> tuple[str, str]:
    try:
        status = msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError:
        return "", data.decode(errors="replace")[:500]
    return str(status.get("reason") or ""), str(status.get("message") or "")
