"""A stand-in for an API server with many nodes: as much of it as a fleet needs, and agents that make up their answers.

It is there to measure the controller: whatever it is asked, it answers at once and says that all is well. It speaks
TLS and websockets, as an API server does.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import ssl
import sys
import time
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from netassay.agent.code.drive import BEAT_SECONDS
from netassay.agent.code.serve import raise_descriptor_limit
from netassay.certificates import Authority

HOST = "localhost"
HELLO = {"hello": {"version": 1, "identity": "", "pid": 1, "python": "3.13.0"}}
ROWS_AT_ONCE = 256
"""As an agent hands them over."""
AGENTS_AT_ONCE = 16
"""Agents that work at the same time: each would have a node of its own, but here all share one core with the beats."""


class StandIn:
    """The objects, and the agents."""

    def __init__(self, nodes: int) -> None:
        """So many nodes, all Ready."""
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        self._nodes = [{"metadata": {"name": f"node-{number:04}"}, "status": ready} for number in range(nodes)]
        self._pods: dict[str, dict[str, Any]] = {}
        self._by_address: dict[str, str] = {}
        self._numbers = itertools.count()
        self._turns = asyncio.Semaphore(AGENTS_AT_ONCE)

    def application(self) -> web.Application:
        """What is served."""
        made = web.Application(client_max_size=16 * 2**20)
        made.router.add_get("/api/v1/nodes", lambda request: _page(request, self._nodes))
        made.router.add_post("/api/v1/namespaces", _keep)
        made.router.add_get("/api/v1/namespaces/{space}/pods", lambda request: _page(request, [*self._pods.values()]))
        made.router.add_post("/api/v1/namespaces/{space}/configmaps", _keep)
        made.router.add_post("/api/v1/namespaces/{space}/pods", self._create)
        made.router.add_get("/api/v1/namespaces/{space}/pods/{name}/exec", self._exec)
        return made

    async def _create(self, request: web.Request) -> web.Response:
        pod = await request.json()
        number = next(self._numbers)
        address = f"10.{number // 62500}.{number // 250 % 250}.{1 + number % 250}"
        pod["status"] = {
            "podIP": address,
            "podIPs": [{"ip": address}],
            "containerStatuses": [{"state": {"running": {}}}],
        }
        wanted = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
        pod["spec"].setdefault("nodeName", _named_node(wanted) or self._nodes[number]["metadata"]["name"])
        self._pods[pod["metadata"]["name"]] = pod
        self._by_address[address] = pod["metadata"]["name"]
        return web.json_response(pod, status=201)

    async def _exec(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",), max_msg_size=0)
        await socket.prepare(request)
        name = request.match_info["name"]
        await _say(socket, HELLO)
        heard = b""
        # As in an agent, commands are at work while the stream is read and beats are sent; as with an API server, a
        # ping is answered whatever the agent does.
        work = {asyncio.create_task(_beat(socket))}
        try:
            async for message in socket:
                if message.type is not WSMsgType.BINARY or message.data[:1] != b"\x00":
                    continue
                *lines, heard = (heard + message.data[1:]).split(b"\n")
                for command in map(json.loads, lines):
                    if command["do"] != "beat":
                        work.add(task := asyncio.create_task(self._obey(socket, name, command)))
                        task.add_done_callback(work.discard)
        finally:
            for task in work:
                task.cancel()
        return socket

    async def _obey(self, socket: web.WebSocketResponse, name: str, command: dict[str, Any]) -> None:
        if command["do"] != "attempts":
            await _say(socket, {"n": command["n"], "end": True, "value": {"identity": name, "ready": True}})
            return
        wanted = command["attempts"]
        async with self._turns:
            for start in range(0, len(wanted), ROWS_AT_ONCE):
                some = enumerate(wanted[start : start + ROWS_AT_ONCE], start)
                await _say(socket, {"n": command["n"], "results": [self._row(index, one) for index, one in some]})
                await asyncio.sleep(0)
            await _say(socket, {"n": command["n"], "end": True, "value": len(wanted)})

    def _row(self, index: int, wanted: list[Any]) -> list[Any]:
        """An answer as agents give it: see `agent.code.attempt.Seen`."""
        peer = self._by_address[wanted[1]]
        return [index, "open", 812, time.time(), peer, "10.0.0.1", 40000, "10.0.0.1", 40000, 0, 0, ""]


def _named_node(affinity: dict[str, Any]) -> str:
    """The node that a pod is bound to by name."""
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", [])
    return next((value for term in terms for field in term.get("matchFields", []) for value in field["values"]), "")


async def _page(request: web.Request, items: list[dict[str, Any]]) -> web.Response:
    start, limit = int(request.query.get("continue", 0)), int(request.query.get("limit", len(items) or 1))
    more = {"continue": str(start + limit)} if start + limit < len(items) else {}
    return web.json_response({"kind": "List", "metadata": more, "items": items[start : start + limit]})


async def _keep(request: web.Request) -> web.Response:
    return web.json_response(await request.json(), status=201)


async def _beat(socket: web.WebSocketResponse) -> None:
    while True:
        await _say(socket, {"beat": time.time()})
        await asyncio.sleep(BEAT_SECONDS)


async def _say(socket: web.WebSocketResponse, said: dict[str, Any]) -> None:
    # Who has closed the stream hears no more of it.
    with contextlib.suppress(ConnectionError):
        await socket.send_bytes(b"\x01" + json.dumps(said, separators=(",", ":")).encode() + b"\n")


def write_kubeconfig(folder: Path, port: int, authority: str) -> None:
    """Write the kubeconfig that leads here."""
    (folder / "ca.pem").write_text(authority)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [
            {
                "name": "here",
                "cluster": {"server": f"https://{HOST}:{port}", "certificate-authority": str(folder / "ca.pem")},
            }
        ],
        "users": [{"name": "me", "user": {"token": "none"}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(config))


async def serve(nodes: int, folder: Path) -> None:
    """Serve until killed; the kubeconfig is in the folder once it is served."""
    raise_descriptor_limit()
    authority = Authority("stand-in")
    certificate = authority.issue(HOST)
    for name, text in (("cert.pem", certificate.pem), ("key.pem", certificate.key)):
        (folder / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    runner = web.AppRunner(StandIn(nodes).application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context, backlog=8192)
    await site.start()
    write_kubeconfig(folder, runner.addresses[0][1], authority.pem)
    print("serving", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
