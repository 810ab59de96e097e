"""Random policies over the pods of `worlds`: small enough that they often touch, and that shrinking says something."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from netassay.policies.model import Flow, Outside
from tests.policies.worlds import NAMESPACES, PODS

Json = dict[str, Any]

_KEYS = {"app": ["web", "db", "vault"], "tier": ["front", "back"]}
_SPACE_KEYS = {"team": ["red", "green"], "stage": ["prod"]}
HOSTS = (Outside("host", ("192.0.2.7", "2001:db8::7")), Outside("n1", ("172.30.0.11", "2001:db8::11"), node="n1"))


def _expressions(keys: dict[str, list[str]]) -> st.SearchStrategy[Json]:
    def with_key(key: str) -> st.SearchStrategy[Json]:
        some = st.lists(st.sampled_from(keys[key]), min_size=1, max_size=2, unique=True)
        listed = st.builds(
            lambda op, values: {"key": key, "operator": op, "values": values}, st.sampled_from(["In", "NotIn"]), some
        )
        bare = st.sampled_from(["Exists", "DoesNotExist"]).map(lambda op: {"key": key, "operator": op})
        return listed | bare

    return st.sampled_from(sorted(keys)).flatmap(with_key)


def _selectors(keys: dict[str, list[str]]) -> st.SearchStrategy[Json]:
    exact = st.sampled_from([(key, value) for key, values in keys.items() for value in values])
    return (
        st.just({})
        | exact.map(lambda pair: {"matchLabels": dict([pair])})
        | st.lists(_expressions(keys), min_size=1, max_size=2).map(lambda found: {"matchExpressions": found})
    )


pod_selectors = _selectors(_KEYS)
namespace_selectors = _selectors(_SPACE_KEYS)

_ranges = st.sampled_from(["10.0.0.0/8", "10.1.0.0/24", "10.2.0.0/16", "192.0.2.0/24", "0.0.0.0/0"])
_exceptions = st.lists(st.sampled_from(["10.1.0.1/32", "10.2.0.3/32", "10.3.0.0/24"]), max_size=2, unique=True)
_blocks = st.builds(lambda cidr, without: {"ipBlock": {"cidr": cidr, "except": without}}, _ranges, _exceptions)
peers = (
    st.builds(lambda pods: {"podSelector": pods}, pod_selectors)
    | st.builds(lambda spaces: {"namespaceSelector": spaces}, namespace_selectors)
    | st.builds(lambda p, n: {"podSelector": p, "namespaceSelector": n}, pod_selectors, namespace_selectors)
    | _blocks
)

_transports = st.sampled_from(["TCP", "UDP", None])
ports = (
    st.builds(lambda transport: {"protocol": transport}, _transports)
    | st.builds(lambda t, port: {"protocol": t, "port": port}, _transports, st.sampled_from([53, 80, "web", "dns"]))
    | st.builds(lambda t, last: {"protocol": t, "port": 53, "endPort": last}, _transports, st.sampled_from([53, 80]))
)


def rules(side: str) -> st.SearchStrategy[Json]:
    """Draw rules of a direction, `side` being "from" or "to"."""
    return st.fixed_dictionaries({}, optional={side: st.lists(peers, max_size=2), "ports": st.lists(ports, max_size=2)})


@st.composite
def policies(draw: st.DrawFn, name: str = "") -> Json:
    """Draw a policy, of its own name unless one is given."""
    spec: Json = {"podSelector": draw(pod_selectors)}
    types = draw(st.sampled_from([None, ["Ingress"], ["Egress"], ["Ingress", "Egress"]]))
    if types:
        spec["policyTypes"] = types
    spec["ingress"] = draw(st.lists(rules("from"), max_size=2))
    spec["egress"] = draw(st.lists(rules("to"), max_size=2))
    namespace = draw(st.sampled_from([space.name for space in NAMESPACES]))
    named = name or f"p{draw(st.integers(0, 10**6))}"
    return {"metadata": {"namespace": namespace, "name": named}, "spec": spec}


policy_sets = st.lists(policies(), max_size=4, unique_by=lambda one: one["metadata"]["name"])

_ends = st.sampled_from([*PODS, *HOSTS])
_transport = st.sampled_from(["TCP", "UDP"])
flows = st.builds(Flow, _ends, _ends, _transport, st.sampled_from([53, 80, 8080]), st.sampled_from([4, 6]))
