"""iperf3's arguments, and when its output is believed; the output is iperf3 3.12's own, from pods of the lab."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netassay.bench import iperf3
from netassay.bench.cells import Level, Load, loads

DATA = Path(__file__).parent / "data"
LEVEL = Level(title="", blocks=1, seconds=4, omit=1, paths=(), loads=())
TCP, UDP = Load(title="", argv=("-P", "1")), Load(title="", udp="full")


def output(name, change=None):
    whole = json.loads((DATA / name).read_text())
    # A busy machine may have made it drift.
    steady = whole["end"]["sum_received"]["bits_per_second"]
    for interval in whole["intervals"]:
        interval["sum"]["bits_per_second"] = steady
    whole["end"]["sum_sent"]["bits_per_second"] = whole["start"]["target_bitrate"]
    whole["end"]["cpu_utilization_percent"] |= {"host_total": 50.0, "remote_total": 50.0}
    if change:
        change(whole)
    return json.dumps(whole).encode()


def test_arguments_are_those_of_the_method():
    argv = iperf3.client("10.0.0.1", 5201, loads()["tcp-8-reverse"], LEVEL)
    said = "iperf3 -c 10.0.0.1 -p 5201 -J -O 1 -t 4 -i 1 --connect-timeout 3000 -P 8 -R --rcv-timeout 30000"
    assert " ".join(argv) == said
    forwards = iperf3.client("10.0.0.1", 5201, loads()["tcp-1"], LEVEL)
    # iperf3 refuses a receive time-out at the end that sends.
    assert "--rcv-timeout" not in forwards
    assert "--rcv-timeout" in iperf3.server(5201, loads()["tcp-1"])
    assert " ".join(iperf3.server(5201, loads()["tcp-1-reverse"])) == "iperf3 -s -1 -p 5201 -J --idle-timeout 60"
    for load in loads().values():
        for word in ("-Z", "-w", "-N", "-A"):
            assert word not in load.argv


@pytest.mark.parametrize(("ipv6", "payload"), [(False, "1422"), (True, "1402")])
def test_datagrams_fill_the_mtu(ipv6, payload):
    argv = iperf3.client("x", 1, UDP, LEVEL, mtu=1450, udp_mbps=800, ipv6=ipv6)
    assert argv[-5:] == ["-u", "-b", "800M", "-l", payload]


def test_small_packets_have_64_bytes_with_their_headers():
    argv = iperf3.client("x", 1, loads()["udp-64"], LEVEL)
    assert argv[-1] == "36"
    assert int(argv[argv.index("-b") + 1]) == 10_000 * 36 * 8


def test_throughput_is_what_was_received():
    reading = iperf3.read(output("tcp.json"), TCP, LEVEL)
    assert reading.validity.valid, reading.validity.reasons
    received = json.loads((DATA / "tcp.json").read_text())["end"]["sum_received"]["bits_per_second"]
    assert reading.metrics["gbps"] == pytest.approx(received / 1e9)
    assert reading.version == "iperf 3.12"


def test_udp_is_read_from_what_was_received_and_not_from_the_sum():
    whole = json.loads((DATA / "udp.json").read_text())["end"]
    reading = iperf3.read(output("udp.json"), UDP, LEVEL)
    assert reading.validity.valid, reading.validity.reasons
    assert reading.metrics["gbps"] == pytest.approx(whole["sum_received"]["bits_per_second"] / 1e9)
    assert whole["sum"]["bytes"] == whole["sum_sent"]["bytes"] != whole["sum_received"]["bytes"]
    lost = 1 - whole["sum_received"]["bytes"] / whole["sum_sent"]["bytes"]
    assert reading.metrics["lost_percent"] == pytest.approx(100 * lost)


def test_what_was_lost_in_the_omitted_seconds_does_not_count():
    def one_in_a_hundred(whole):
        # As seen: six seconds of 1% lost, of which five count, and iperf3 says 1.2%.
        whole["end"]["sum_sent"].update(bytes=12_500_000)
        whole["end"]["sum_received"].update(bytes=12_375_000, lost_percent=1.2)

    assert iperf3.read(output("udp.json", one_in_a_hundred), UDP, LEVEL).metrics["lost_percent"] == pytest.approx(1.0)


def received(**changes):
    return lambda whole: whole["end"]["sum_received"].update(changes)


@pytest.mark.parametrize(
    ("change", "load", "reason"),
    [
        (lambda whole: whole.update(error="the server has terminated"), TCP, "iperf3: the server has terminated"),
        (received(seconds=3.0), TCP, "it ran 3.0 s of 4 s"),
        (received(bytes=10**15), TCP, "more was received than sent"),
        (received(bits_per_second=0), TCP, "nothing was received"),
        (received(lost_percent=-5), UDP, "was lost"),
        (lambda whole: whole["end"]["sum_sent"].update(bits_per_second=1e6), UDP, "the generator sent 1 of"),
        (lambda whole: whole["end"]["cpu_utilization_percent"].update(host_total=95), UDP, "used 95% of a core"),
        (lambda whole: whole["intervals"][-1]["sum"].update(bits_per_second=1e9), TCP, "drifted by"),
    ],
)
def test_what_is_not_to_be_believed_is_rejected_with_the_reason(change, load, reason):
    reading = iperf3.read(output("udp.json" if load is UDP else "tcp.json", change), load, LEVEL)
    assert not reading.validity.valid
    assert reason in "; ".join(reading.validity.reasons)


def test_a_busy_generator_of_tcp_is_told_and_counts():
    busy = lambda whole: whole["end"]["cpu_utilization_percent"].update(remote_total=99)  # noqa: E731
    reading = iperf3.read(output("tcp.json", busy), TCP, LEVEL)
    assert reading.validity.valid
    assert reading.validity.notes == ["the server's iperf3 used 99% of a core"]


@pytest.mark.parametrize("said", [b"", b"iperf3: error", b"{}", b"[]"])
def test_what_is_no_result_is_not_valid(said):
    reading = iperf3.read(said, TCP, LEVEL)
    assert not reading.validity.valid
    assert "can't be read" in reading.validity.reasons[0]
