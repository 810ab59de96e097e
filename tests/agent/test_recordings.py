"""Recordings on loopback: what a stream of new connections and a kept flow see of an outage made on purpose."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from netassay.agent.local import LocalAgent
from netassay.disruption import Recorded, Watched, require_baseline, timeline
from netassay.errors import HarnessFault
from netassay.fleet import LocalProbe
from netassay.fleet.recordings import Recorder
from netassay.observation import Outcome, Protocol
from netassay.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEAT = 0.01
SETTLE = 0.2
OUTAGE = 0.3
# A loaded machine may wake us late; what is late is noted by the agent, and taken off.
SLACK = 0.1
PATIENCE = 5.0


@pytest.fixture(scope="module")
def alone(agent: LocalAgent) -> Iterator[LocalProbe]:
    """A driver without a serving process of its own, as an outside host has it: it keeps its recordings itself."""
    with LocalProbe([*agent.drive_command[:-1], "--control=", "drive"], "client-2", node="here") as driving:
        yield driving


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder()
    yield made
    made.forget()


def watched(probe: LocalProbe, protocol: str, port: int, *, kept: bool, timeout: float = 0.5) -> Watched:
    return Watched(
        source=probe.name,
        source_node=probe.node,
        target="server",
        protocol=Protocol(protocol),
        host="127.0.0.1",
        port=port,
        kept=kept,
        interval=BEAT,
        timeout=timeout,
    )


class Echo:
    """An agent's echo that answers when it is told to, to see when its client asked what."""

    def __init__(self, sock: socket.socket) -> None:
        """Take a bound UDP socket, or the first connection of a listening one: that is answered with a line."""
        self._datagrams = sock.type is socket.SOCK_DGRAM
        sock.settimeout(PATIENCE)
        self._sock = sock if self._datagrams else sock.accept()[0]
        self._sock.settimeout(PATIENCE)
        self._asker: tuple[str, int] | None = None
        self._sizes = [0]
        if not self._datagrams:
            self.answer()

    def hear(self) -> None:
        """Wait for a question; over TCP, for all that have been asked."""
        data, self._asker = self._sock.recvfrom(65535)
        self._sizes = [len(line) for line in data.splitlines(keepends=True)]

    def answer(self) -> None:
        """Answer what was heard last."""
        said = b"".join(b'{"agent":"server-9","received":%d}\n' % size for size in self._sizes)
        if self._asker:
            self._sock.sendto(said, self._asker)
        else:
            self._sock.sendall(said)

    def answer_for(self, seconds: float) -> None:
        """Answer each question for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.hear()
            self.answer()

    def lose_what_waits(self) -> None:
        """Forget what has been asked and not heard. Over TCP nothing is lost."""
        self._sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self._datagrams:
                self._sock.recv(65535)
        self._sock.settimeout(PATIENCE)

    def __enter__(self) -> Echo:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()


@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
@pytest.mark.parametrize("protocol", ["tcp", "udp", "http"])
@pytest.mark.parametrize("where", ["probe", "alone"])
def test_nothing_is_lost_where_nothing_happens(
    request: pytest.FixtureRequest, agent: LocalAgent, recorder: Recorder, where: str, protocol: str, kept: bool
) -> None:
    client: LocalProbe = request.getfixturevalue(where)
    recorder.begin([(client, watched(client, protocol, agent.ports[protocol], kept=kept))], seconds=10)
    time.sleep(SETTLE)
    event = time.monotonic()
    time.sleep(SETTLE)
    (recorded,) = recorder.finish()
    require_baseline(recorded, event, beats=5)
    seen = timeline(recorded, event)
    assert (seen.failed, seen.lost) == (0, ()), seen.describe()
    assert {one.peer for one in seen.answering} == {"server-1"}
    assert recorded.sent + recorded.missed >= 2 * SETTLE / BEAT - 2
    assert recorded.unsure < 1


def _outage(port: int, probe: LocalProbe, recorder: Recorder, client: LocalProbe, *, kept: bool) -> Recorded:
    """Close the listener for a while. It is the serving process's, and so is the clock of the break."""
    recorder.begin([(client, watched(client, "tcp", port, kept=kept))], seconds=10)
    time.sleep(SETTLE)
    probe.control({"do": "unlisten", "protocol": "tcp", "port": port})
    time.sleep(OUTAGE)
    probe.control({"do": "listen", "protocol": "tcp", "port": port})
    time.sleep(SETTLE)
    (recorded,) = recorder.finish()
    return recorded


@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
def test_a_listener_that_is_closed_for_a_while_is_an_outage_of_that_length(
    probe: LocalProbe, alone: LocalProbe, recorder: Recorder, kept: bool
) -> None:
    with probe.listen("tcp", 0) as port:
        recorded = _outage(port, probe, recorder, alone, kept=kept)
    seen = timeline(recorded, recorded.began)
    (outage,) = seen.outages
    assert OUTAGE - 2 * BEAT <= outage.seconds <= OUTAGE + SLACK + outage.unsure, seen.describe()
    assert outage.recovered
    assert "ECONNREFUSED" in " ".join(outage.words)
    if kept:
        (lost,) = seen.lost
        assert lost.peer == "server-1"
    else:
        assert abs(seen.failed + recorded.missed - OUTAGE / BEAT) < 15, seen.describe()
        assert all(run.count == 1 for run in recorded.runs if run.failed), "each failure is told in full"
        beats = [run.beat for run in recorded.runs]
        assert beats == sorted(beats)
        assert sum(run.count for run in recorded.runs) == recorded.sent + recorded.missed


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("ss") is None, reason="only root may end others' sockets, by ss")
def test_a_udp_flow_whose_socket_is_ended_for_it_goes_on_with_a_new_one(
    agent: LocalAgent, alone: LocalProbe, recorder: Recorder
) -> None:
    port = agent.ports["udp"]
    recorder.begin([(alone, watched(alone, "udp", port, kept=True))], seconds=10)
    time.sleep(SETTLE)
    event = time.monotonic()
    ended = subprocess.run(
        ["ss", "-HKun", "dst", "127.0.0.1", "dport", "=", str(port)], check=True, capture_output=True, text=True
    ).stdout
    if not ended.strip():
        pytest.skip("this kernel does not end sockets on request (INET_DIAG_DESTROY)")
    time.sleep(SETTLE)
    (recorded,) = recorder.finish()
    seen = timeline(recorded, event)
    first, second = recorded.links
    assert "ECONNABORTED" in first.words
    assert second.last > first.ended
    assert {one.peer for one in seen.answering} == {"server-1"}
    assert not seen.outages, seen.describe()


def test_the_beat_is_kept_though_no_answer_comes(alone: LocalProbe, recorder: Recorder, tmp_path: Path) -> None:
    with LocalAgent(tmp_path, "standing") as server:
        flows = [
            (alone, watched(alone, protocol, server.ports[protocol], kept=kept, timeout=0.2))
            for protocol in ("tcp", "udp", "http")
            for kept in (False, True)
        ]
        recorder.begin(flows, seconds=10)
        time.sleep(SETTLE)
        os.kill(server.process.pid, signal.SIGSTOP)
        time.sleep(OUTAGE)
        os.kill(server.process.pid, signal.SIGCONT)
        time.sleep(SETTLE)
        found = recorder.finish()
    for recorded in found:
        seen = timeline(recorded, recorded.began)
        assert seen.recovered, seen.describe()
        if recorded.flow.kept:
            # What was asked meanwhile is answered once the server goes on.
            assert OUTAGE - 2 * BEAT < seen.longest < OUTAGE + SLACK + seen.unjudged_seconds, seen.describe()
            assert not seen.lost
        else:
            failed = [run for run in recorded.runs if run.failed]
            assert failed, "a peer that accepts and says nothing has not answered"
            assert recorded.sent + recorded.missed > 60, seen.describe()


def test_a_sender_that_stood_still_does_not_blame_the_network(agent: LocalAgent, recorder: Recorder) -> None:
    with LocalProbe([*agent.drive_command[:-1], "--control=", "drive"], "sleepy") as sleepy:
        flows = [(sleepy, watched(sleepy, "udp", agent.ports["udp"], kept=kept, timeout=0.2)) for kept in (False, True)]
        recorder.begin(flows, seconds=10)
        time.sleep(SETTLE)
        pid = sleepy.session.pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(OUTAGE)
        os.kill(pid, signal.SIGCONT)
        time.sleep(SETTLE)
        new, kept = recorder.finish()
        recorder.forget()
    seen = timeline(new, new.began)
    assert seen.failed == 0, seen.describe()
    assert new.missed >= OUTAGE / BEAT - 5
    assert {run.outcome for run in new.runs if not run.answered} == {Outcome.NO_VERDICT}
    assert seen.latest >= OUTAGE - BEAT
    still = timeline(kept, kept.began)
    assert still.longest - still.unjudged_seconds < 0.05, still.describe()


def test_an_outage_that_began_while_the_sender_stood_still_is_not_told_too_short(
    probe: LocalProbe, alone: LocalProbe, recorder: Recorder
) -> None:
    with probe.listen("tcp", 0) as port:
        recorder.begin([(alone, watched(alone, "tcp", port, kept=False))], seconds=10)
        time.sleep(SETTLE)
        pid = alone.session.pid
        assert pid, "the driver is there: it records"
        os.kill(pid, signal.SIGSTOP)
        try:
            before = time.monotonic()
            probe.control({"do": "unlisten", "protocol": "tcp", "port": port})
            closed = time.monotonic()
            time.sleep(OUTAGE / 2)
        finally:
            os.kill(pid, signal.SIGCONT)
        time.sleep(OUTAGE / 2)
        opening = time.monotonic()
        probe.control({"do": "listen", "protocol": "tcp", "port": port})
        after = time.monotonic()
        time.sleep(SETTLE)
        (recorded,) = recorder.finish()
    (outage,) = timeline(recorded, recorded.began).outages
    assert outage.good_until is not None
    # Where it stood still with an attempt in hand, that one failed as soon as it went on.
    assert max(outage.began - outage.good_until, outage.unsure) > OUTAGE / 4, "so much of it was not tried"
    assert outage.least <= after - before
    assert outage.most >= opening - closed


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_an_answer_that_is_read_late_does_not_shorten_the_outage_after_it(
    alone: LocalProbe, recorder: Recorder, protocol: str
) -> None:
    with socket.socket(type=socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))
        if protocol == "tcp":
            sock.listen()
        recorder.begin([(alone, watched(alone, protocol, sock.getsockname()[1], kept=True))], seconds=10)
        with Echo(sock) as echo:
            echo.answer_for(SETTLE)
            echo.hear()
            began = time.monotonic()
            os.kill(alone.session.pid, signal.SIGSTOP)
            try:
                echo.answer()
                time.sleep(OUTAGE / 2)
            finally:
                os.kill(alone.session.pid, signal.SIGCONT)
            time.sleep(OUTAGE)
            echo.lose_what_waits()
            healed = time.monotonic()
            echo.answer_for(SETTLE)
            (recorded,) = recorder.finish()
    seen = timeline(recorded, began)
    outage = max(seen.outages, key=lambda one: one.seconds)
    assert -SLACK < outage.earliest <= recorded.unsure, seen.describe()
    assert outage.least - SLACK <= healed - began <= outage.most + recorded.unsure, seen.describe()
    assert outage.unsure > OUTAGE / 4, "for so much of it nothing was asked"


def test_it_is_handed_over_again_and_again_and_forgotten_once_it_has_arrived(
    probe: LocalProbe, alone: LocalProbe, recorder: Recorder
) -> None:
    with probe.listen("tcp", 0) as port:
        recorder.begin([(alone, watched(alone, "tcp", port, kept=False))], seconds=10)
        failed = []
        for _ in range(2):
            time.sleep(0.05)
            probe.control({"do": "unlisten", "protocol": "tcp", "port": port})
            time.sleep(0.05)
            (so_far,) = recorder.collect()
            failed.append(timeline(so_far, so_far.began).failed)
            probe.control({"do": "listen", "protocol": "tcp", "port": port})
        time.sleep(SETTLE)
        (whole,) = recorder.finish()
    assert 0 < failed[0] < failed[1]
    assert sum(run.count for run in whole.runs) == whole.sent + whole.missed
    assert len(timeline(whole, whole.began).outages) == 2


def test_a_recording_in_a_serving_process_outlives_the_stream_that_began_it(agent: LocalAgent) -> None:
    with LocalProbe(agent.drive_command, "first") as first:
        Recorder("kept-on").begin([(first, watched(first, "udp", agent.ports["udp"], kept=False))], seconds=10)
    with LocalProbe(agent.drive_command, "second") as second:
        call = {"name": "kept-on-1"}
        time.sleep(SETTLE)
        value = second.loop.run(second.session.call("collect", 5, after=0, **call))
        second.loop.run(second.session.call("forget", 5, **call))
    assert value["sent"] + value["missed"] >= SETTLE / BEAT


def test_it_ends_by_itself_when_nobody_comes_back(agent: LocalAgent, alone: LocalProbe, recorder: Recorder) -> None:
    recorder.begin([(alone, watched(alone, "tcp", agent.ports["tcp"], kept=False))], seconds=0.1)
    ended = wait_until(
        "the recording to send nothing more",
        lambda: (recorder.collect()[0].sent, time.sleep(0.05), recorder.collect()[0].sent),
        lambda sent: sent[0] == sent[2],
        timeout=3,
        successes=1,
    )
    assert 5 <= ended.value[0] <= 15


def test_mistakes_are_told(alone: LocalProbe, agent: LocalAgent) -> None:
    flow = watched(alone, "tcp", agent.ports["tcp"], kept=False)
    recorder = Recorder("twice")
    recorder.begin([(alone, flow)], seconds=5)
    with pytest.raises(HarnessFault, match="there is a recording 'twice-1' already"):
        Recorder("twice").begin([(alone, flow)], seconds=5)
    recorder.forget()
    with pytest.raises(HarnessFault, match="there is no recording 'twice-1'"):
        alone.loop.run(alone.session.call("collect", 5, name="twice-1", after=0))


def test_a_server_that_drains_goes_on_answering_and_asks_for_new_connections(
    alone: LocalProbe, recorder: Recorder, tmp_path: Path
) -> None:
    with LocalAgent(tmp_path, "leaving", linger=0.5) as server:
        flows = [(alone, watched(alone, "http", server.ports["http"], kept=kept)) for kept in (False, True)]
        recorder.begin(flows, seconds=10)
        time.sleep(SETTLE)
        event = time.monotonic()
        server.process.terminate()
        time.sleep(SETTLE)
        new, kept = (timeline(one, event) for one in recorder.finish())
        assert server.process.poll() is None, "it goes on for as long as it drains"
    assert (new.failed, kept.failed, kept.lost) == (0, 0, ()), f"{new.describe()}\n{kept.describe()}"
    assert sum(one.first > 0 for one in kept.answering) > 2, "each answer is the last one of its connection"


def test_a_serving_process_can_be_killed_from_inside(tmp_path: Path) -> None:
    with LocalAgent(tmp_path, "doomed") as doomed, LocalProbe(doomed.drive_command, "killer") as killer:
        killer.control({"do": "kill"})
        assert doomed.process.wait(5) == -signal.SIGKILL


def test_a_stream_of_questions_shows_when_a_name_server_answers(
    agent: LocalAgent, alone: LocalProbe, recorder: Recorder
) -> None:
    answer = b"\x85\x80\x00\x01\x00\x01" + bytes(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(2)
        asked = msgspec.structs.replace(
            watched(alone, "dns", server.getsockname()[1], kept=False), host_header="web.example.com"
        )
        recorder.begin([(alone, asked)], seconds=10)
        # Three answers, a refusal (response code 5), and then no more.
        for number in range(4):
            question, client = server.recvfrom(512)
            assert b"\x03web\x07example\x03com\x00\x00\x01\x00\x01" in question
            flags = answer if number < 3 else b"\x85\x85" + answer[2:]
            server.sendto(question[:2] + flags + question[12:], client)
        time.sleep(SETTLE)
        (recorded,) = recorder.finish()
    judged = [run for run in recorded.runs if run.outcome is not Outcome.NO_VERDICT]
    answered = sum(run.count for run in judged if run.answered)
    refused, *unanswered = [run for run in judged if not run.answered]
    assert (answered, refused.words, refused.count) == (3, "response code 5", 1)
    assert all(run.outcome is Outcome.TIMED_OUT for run in unanswered)
