"""Ingresses change, and the controller follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.ingress import Path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.ingress import Ingresses
    from fixtures.verdicts import CheckInHand
    from fixtures.web import Door, Site, Visitors


@pytest.mark.claim("ingress-change")
def test_changed_rules_are_soon_followed(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site], verdict: CheckInHand
) -> None:
    """A rule that is added, led elsewhere or removed, and an Ingress that is deleted, are followed soon, everywhere.

    The control is a host that stays as it is all the time.
    """
    domain = ingresses.domain()
    stays, comes = f"stays.{domain}", f"comes.{domain}"
    (one, two, three, *_) = sites
    ingresses.serve({stays: [Path("/", one)]})
    ingress = ingresses.serve({comes: [Path("/a", two)]})
    control = entry.ask(stays, "/", one)

    def follow(what: str, answers: dict[str, Site | None]) -> None:
        seen = visitors.wait_for(entry, [control, *entry.table(comes, answers)])
        verdict.note(f"{what} followed after", seen.seconds, "s")

    follow("new Ingress", {"/a": two, "/b": None})
    ingress.replace({comes: [Path("/a", two), Path("/b", three)]})
    follow("added rule", {"/a": two, "/b": three})
    ingress.replace({comes: [Path("/a", three), Path("/b", three)]})
    follow("changed backend", {"/a": three, "/b": three})
    ingress.replace({comes: [Path("/b", three)]})
    follow("removed rule", {"/a": None, "/b": three})
    ingress.delete()
    follow("deleted Ingress", {"/a": None, "/b": None})
