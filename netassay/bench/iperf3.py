"""iperf3: its arguments, what its JSON says, and when that is to be believed.

iperf3's own Python package reads the JSON where it is right: `TestResult` knows TCP's received and sent rates,
retransmits and both ends' CPU. It is not right for UDP, whose figures it takes from `end.sum`: the bytes there are
those that were sent. They are read here from `end.sum_received`, which both protocols have.
"""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING, Any, Final

from iperf3.iperf3 import TestResult

from netassay.bench.run import Reading
from netassay.bench.schema import Validity

if TYPE_CHECKING:
    from netassay.bench.cells import Level, Load

IPV4_HEADERS, IPV6_HEADERS = 28, 48
"""Bytes of an IP and a UDP header."""
SMALL_PACKET: Final = 64
LEAST_PAYLOAD: Final = 16
"""What iperf3 needs for its own header."""
LONG_ENOUGH: Final = 0.95
DRIFT: Final = 0.10
UNDER_WAY: Final = 0.01
"""Of what is sent, what may have been in buffers when the omitted seconds ended: received in time, sent before."""
BUSY: Final = 90.0
"""Per cent of a core from which on a generator may have been what limited."""
ALL: Final = 100.0
THIRDS: Final = 3


def server(port: int, load: Load) -> list[str]:
    """The command of a server for one run."""
    argv = ["iperf3", "-s", "-1", "-p", str(port), "-J", "--idle-timeout", "60"]
    # The time-out is for the end that receives; iperf3 refuses it elsewhere.
    return argv if load.reverse else [*argv, "--rcv-timeout", "30000"]


def client(
    host: str, port: int, load: Load, level: Level, *, mtu: int = 0, udp_mbps: float = 0.0, ipv6: bool = False
) -> list[str]:
    """The command of a client. For UDP, the pods' `mtu` and the rate in Mbit/s of payload."""
    argv = ["iperf3", "-c", host, "-p", str(port), "-J", "-O", str(level.omit), "-t", str(level.seconds), "-i", "1"]
    argv += ["--connect-timeout", "3000", *load.argv]
    if load.reverse:
        argv += ["--rcv-timeout", "30000"]
    headers = IPV6_HEADERS if ipv6 else IPV4_HEADERS
    if load.udp == "full":
        argv += ["-u", "-b", f"{udp_mbps:g}M", "-l", str(mtu - headers)]
    elif load.udp == "small":
        payload = max(SMALL_PACKET - headers, LEAST_PAYLOAD)
        argv += ["-u", "-b", str(load.packets_per_second * payload * 8), "-l", str(payload)]
    return argv


def read(output: bytes, load: Load, level: Level) -> Reading:
    """Read the client's JSON. What can't be read is not valid, and says why."""
    try:
        whole = json.loads(output)
        result = TestResult(output.decode())
    except (ValueError, KeyError, IndexError, TypeError) as error:
        return _nothing(f"what iperf3 wrote can't be read ({type(error).__name__}: {error}): {output[:200]!r}")
    if result.error:
        return _nothing(f"iperf3: {result.error}")
    end = whole["end"]
    received, sent = end["sum_received"], end.get("sum_sent", {})
    gbps = received["bits_per_second"] / 1e9
    metrics = {"gbps": gbps}
    if load.udp:
        size = whole["start"]["test_start"]["blksize"]
        metrics |= {
            "lost_percent": max(ALL * (1 - received["bytes"] / sent["bytes"]), 0.0) if sent.get("bytes") else ALL,
            "jitter_us": received["jitter_ms"] * 1000,
            "packets_per_s": received["bytes"] / size / received["seconds"] if received["seconds"] else 0.0,
        }
    else:
        metrics["retransmits"] = float(result.retransmits or 0)
    cores = {"client": result.local_cpu_total / 100, "server": result.remote_cpu_total / 100}
    reasons: list[str] = []
    notes: list[str] = []
    seconds = float(received.get("seconds") or 0.0)
    if seconds < LONG_ENOUGH * level.seconds:
        reasons.append(f"it ran {seconds:.1f} s of {level.seconds} s")
    if load.udp and not 0 <= received["lost_percent"] <= ALL:
        reasons.append(f"it says that {received['lost_percent']:.1f}% was lost")
    if received.get("bytes", 0) > (1 + UNDER_WAY) * sent.get("bytes", received.get("bytes", 0)):
        reasons.append(f"more was received than sent ({received['bytes']} of {sent['bytes']} bytes)")
    asked = whole["start"].get("target_bitrate", 0)
    if load.udp and asked and sent.get("bits_per_second", 0) < LONG_ENOUGH * asked:
        reasons.append(f"the generator sent {sent['bits_per_second'] / 1e6:.0f} of {asked / 1e6:.0f} Mbit/s")
    if not gbps > 0:
        reasons.append("nothing was received")
    drift = _drift(whole["intervals"])
    if drift is not None and abs(drift) > DRIFT:
        reasons.append(f"the rate drifted by {ALL * drift:+.0f}% from the first third to the last")
    for who, share in cores.items():
        if ALL * share >= BUSY:
            said = f"the {who}'s iperf3 used {ALL * share:.0f}% of a core"
            # Without a rate to keep, one thread is expected to use what it can: then the path's cost to that thread is
            # what is measured, and the page compares CPU.
            (reasons if load.udp else notes).append(said)
    return Reading(result.version, metrics, cores, Validity(valid=not reasons, reasons=reasons, notes=notes), seconds)


def _nothing(reason: str) -> Reading:
    return Reading("", {}, {}, Validity(valid=False, reasons=[reason]), 0.0)


def _drift(intervals: list[dict[str, Any]]) -> float | None:
    """By what fraction the rate of the last third differs from the first's; None if there are too few intervals."""
    rates = [i["sum"]["bits_per_second"] for i in intervals if not i["sum"].get("omitted")]
    third = len(rates) // THIRDS
    if third == 0:
        return None
    first, last = statistics.mean(rates[:third]), statistics.mean(rates[-third:])
    return last / first - 1 if first else None
