"""The rate for UDP, on paths that carry so much and lose so much of what they carry."""

from __future__ import annotations

import pytest

from netassay.bench.udp_rate import LEAST_MBPS, Trial, find_rate


class Path:
    """Carries `gbps` of UDP, and loses a share of that by itself."""

    def __init__(self, gbps: float, lost: float = 0.0) -> None:
        self.gbps, self.lost, self.tried = gbps, lost, list[float]()

    def send(self, mbps: float) -> Trial:
        self.tried.append(mbps)
        sent = mbps / 1000
        received = min(sent, self.gbps) * (1 - self.lost)
        return Trial(received, 100 * (1 - received / sent))


def test_a_quarter_of_what_tcp_reaches_is_kept_where_udp_keeps_up() -> None:
    path = Path(gbps=9)
    assert find_rate(18.0, path.send) == 4500
    assert path.tried == [4500]


def test_more_than_a_sender_of_packets_makes_is_given_up_for_a_quarter_of_what_it_does() -> None:
    path = Path(gbps=1.2)
    assert find_rate(20.0, path.send) == 300
    assert path.tried == [5000, 5000, 300]


def test_a_rate_that_lost_by_chance_is_tried_again() -> None:
    path, lost = Path(gbps=9), iter([0.3, 0.0])

    def send(mbps: float) -> Trial:
        path.lost = next(lost)
        return path.send(mbps)

    assert find_rate(18.0, send) == 4500
    assert path.tried == [4500, 4500]


@pytest.mark.parametrize("lost", [0.02, 0.1, 0.5])
def test_what_is_lost_at_any_rate_is_no_overload(lost: float) -> None:
    assert find_rate(18.0, Path(gbps=9, lost=lost).send) == 4500


def test_overload_and_loss_at_any_rate_are_told_apart() -> None:
    path = Path(gbps=1.2, lost=0.02)
    assert find_rate(20.0, path.send) == 290
    assert path.tried == [5000, 5000, 290, 290, 71, 71]


def test_where_nothing_can_be_told_the_rate_goes_no_further_down_than_it_can() -> None:
    assert find_rate(0.0, lambda _: Trial(0.0, None)) == LEAST_MBPS
