"""Streams to the agents of a large cluster: as many as there are probes, opened a few at a time."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from netassay.cluster import api
from netassay.cluster.api import Api
from netassay.fleet.channel import ExecChannel
from netassay.fleet.session import Session

if TYPE_CHECKING:
    from pathlib import Path

PROBES = 1100
"""More than any pool of connections has by default, and than the 1,024 that there once were."""


class Agents:
    """Answers execs as agents do, as far as their greeting; counts how many are being opened, and are open."""

    def __init__(self) -> None:
        self.opening = self.most = self.open = 0

    async def answer(self, request: web.Request) -> web.WebSocketResponse:
        self.opening += 1
        self.most = max(self.most, self.opening)
        await asyncio.sleep(0.001)
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        self.opening -= 1
        self.open += 1
        await socket.send_bytes(b'\x01{"hello": {"version": 1, "pid": 1, "python": "3.13.0"}}\n')
        async for message in socket:
            nonce = json.loads(message.data[1:]).get("n")
            await socket.send_bytes(b"\x01" + json.dumps({"n": nonce, "end": True, "value": "here"}).encode() + b"\n")
        return socket


async def every_agent_answers(folder: Path) -> Agents:
    agents, application = Agents(), web.Application()
    application.router.add_get("/api/v1/namespaces/space/pods/{name}/exec", agents.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{runner.addresses[0][1]}"}}],
        "users": [{"name": "u", "user": {}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(config))
    connected = await Api.connect(kubeconfig=str(folder / "kubeconfig"), context=None, in_cluster=False)

    def session(name: str) -> Session:
        return Session(name, lambda: ExecChannel(connected, "space", name, "agent", ["drive"]))

    sessions = [session(f"probe-{number}") for number in range(PROBES)]
    answers = await asyncio.gather(*(one.call("status", 60) for one in sessions))
    assert answers == ["here"] * PROBES
    await asyncio.gather(*(one.close() for one in sessions))
    await connected.close()
    await runner.cleanup()
    return agents


@pytest.mark.whole
def test_each_of_many_probes_has_its_stream_and_few_are_opened_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "OPENINGS_AT_ONCE", 16)
    agents = asyncio.run(every_agent_answers(tmp_path))
    assert agents.open == PROBES
    assert agents.most <= 16
