"""What is known of controllers: claims of Ingress only, each with a source, found by their classes' names."""

from __future__ import annotations

import pytest

from netassay.claims import CLAIMS
from netassay.controllers import Controller, controller_of, controllers
from netassay.modes import load


@pytest.mark.parametrize("controller", controllers(), ids=lambda controller: controller.title)
def test_a_controller_speaks_of_ingress_only_and_says_where_it_is_written(controller: Controller) -> None:
    assert controller.names
    for claim_id, stance in controller.claims.items():
        assert CLAIMS[claim_id].feature == "ingress"
        assert stance.source
        assert stance.expect != load("generic").expects(claim_id), "a controller's file names only what differs"


def test_no_two_controllers_have_one_name() -> None:
    names = [name for controller in controllers() for name in controller.names]
    assert len(set(names)) == len(names)


def test_a_controller_is_found_by_the_name_in_its_class() -> None:
    assert controller_of("traefik.io/ingress-controller").claims["ingress-path-exact-first"].expect == "absent"
    unknown = controller_of("example.com/unheard-of")
    assert not unknown.claims
    assert not unknown.http2.service
    assert not unknown.http2.ingress
