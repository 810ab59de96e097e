"""What goes over the wire: answers that are too large, extensions, and the case of names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.dns import Dns, Replies, require_answer, require_lookup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.crowds import Crowd
    from fixtures.services import Services
    from netassay.fleet import Probe

PLAIN = 512
"""Bytes of an answer that a client without EDNS can take (RFC 1035, 4.2.1)."""

SMALL, LARGE = 1232, 4096
"""Bytes that a client says it can take: what passes everywhere in one packet, and what holds all of the answer."""


@pytest.mark.claim("dns-truncation")
def test_an_answer_too_large_for_a_datagram_is_cut_and_comes_whole_over_tcp(
    crowd: Crowd, probes: Sequence[Probe], dns: Dns
) -> None:
    """An answer that does not fit says so (TC) over UDP, and comes whole over TCP; programs do not notice.

    The last is by the C library, which has to ask again over TCP by itself.
    """
    Replies(dns.ask_each(crowd.name)).require(largest=PLAIN, truncated=True, edns=False)
    require_answer(dns.ask_each(crowd.name, protocol="tcp"), records=crowd.addresses)
    for probe in probes:
        require_lookup(probe, probe.lookup(crowd.name), addresses=crowd.addresses)


@pytest.mark.claim("dns-edns")
def test_answers_are_as_large_as_the_client_says_it_can_take(crowd: Crowd, dns: Dns) -> None:
    """A client that says by EDNS how much it can take gets no more than that, and by EDNS; with room for it, all.

    The control is a client that says nothing: it gets no EDNS, which it may not understand.
    """
    Replies(dns.ask_each(crowd.name, edns=SMALL)).require(largest=SMALL, truncated=True, edns=True)
    roomy = dns.ask_each(crowd.name, edns=LARGE)
    Replies(roomy).require(largest=LARGE, truncated=False, edns=True)
    require_answer(roomy, records=crowd.addresses)
    Replies(dns.ask_each(dns.name_of_service)).require(largest=PLAIN, truncated=False, edns=False)


@pytest.mark.claim("dns-case")
def test_names_are_found_in_whatever_case(services: Services, backends: Sequence[Probe], dns: Dns) -> None:
    """A name in mixed case is the same name, and is repeated as it was asked, by which clients know forgers."""
    service = services.cluster_ip(*backends)
    name = service.name_under(dns.domain)
    dns.wait_for(name, [service.address])
    mixed = "".join(letter.upper() if index % 2 else letter for index, letter in enumerate(name))
    answers = dns.ask_each(mixed)
    require_answer(answers, records=[service.address])
    Replies(answers).require_question(mixed)
