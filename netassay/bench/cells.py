"""What is measured: paths, loads and levels, as data from `loadtests/`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from netassay import bundle
from netassay.errors import UsageError
from netassay.families import Family
from netassay.stats import Better  # noqa: TC001 - msgspec reads annotations

HOST: Final = "host"
CONTROL_PLANE: Final = "control-plane"
PATHS: Final = {
    "host": "host to host (control)",
    "pod": "pod to pod",
    "cluster-ip": "pod to ClusterIP",
    "node-port": "pod to NodePort, by its own node's address",
}
WEB_PATHS: Final = {
    "cluster-ip": "a Service's ClusterIP",
    "node-port": "a Service's NodePort",
    "ingress": "an Ingress",
    "outside": "a Service's NodePort, from outside the cluster",
}
CHANGES: Final = {
    "service-programming": "A Service's new backend: first answer by it",
    "policy-enforcement": "A policy: first attempt kept out, or let in again",
    "pod-address": "A new pod: its address is known",
}
SAME: Final = ".same"
"""Ends the name of a path whose two ends are on one node."""


class Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What iperf3 sends: further arguments, or UDP with packets that fill the MTU or are as small as they come."""

    title: str
    argv: tuple[str, ...] = ()
    udp: Literal["", "full", "small"] = ""
    packets_per_second: int = 0

    @property
    def reverse(self) -> bool:
        """Whether the server sends."""
        return "-R" in self.argv


class Requests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests and answers: over how many connections at once, and whether each request has one of its own."""

    title: str
    connections: int
    fresh: bool


class LocustLoad(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What Locust asks, by which of its users, how often a second in all, and whether that rises from a tenth of it."""

    title: str
    user: str
    rate: float
    ramp: bool = False


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much is measured."""

    title: str
    blocks: int
    seconds: int
    omit: int
    paths: tuple[str, ...]
    loads: tuple[str, ...]
    changes: int = 0
    """Of the control plane, for each kind; 0 for none."""


class Gated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric of a cell that a gate decides on, and by what fraction it may become worse."""

    cell: str
    metric: str
    better: Better
    margin: float


@dataclass(frozen=True)
class Cell:
    """One thing that is measured: a load over a path, by an IP family. `path` is "pod", "pod.same" and so on."""

    path: str
    family: Family
    load: str

    @property
    def id(self) -> str:
        """As in "pod.ipv4.tcp-1"."""
        return f"{self.path}.{self.family}.{self.load}"

    @property
    def kind(self) -> str:
        """What the path leads to, wherever that is."""
        return self.path.removesuffix(SAME)

    @property
    def same_node(self) -> bool:
        """Whether both ends are on one node."""
        return self.path.endswith(SAME)

    @property
    def control(self) -> Cell:
        """The same load between the hosts themselves."""
        return Cell(HOST + (SAME if self.same_node else ""), self.family, self.load)


def parse(cell: str) -> Cell:
    """The cell of an id. ValueError if it is none."""
    path, family, load = cell.rsplit(".", 2)
    return Cell(path, Family(family), load)


def title(path: str) -> str:
    """The path in words."""
    if path == CONTROL_PLANE:
        return "the control plane"
    if path not in PATHS and not path.endswith(SAME):
        return WEB_PATHS.get(path, "the cluster's DNS")
    where = "on one node" if path.endswith(SAME) else "across nodes"
    return f"{PATHS[path.removesuffix(SAME)]}, {where}"


def loads() -> dict[str, Load]:
    """iperf3's loads by name."""
    return msgspec.convert(_toml("iperf3/loads.toml"), dict[str, Load])


def requests() -> dict[str, Requests]:
    """The loads of requests and answers by name."""
    return msgspec.convert(_toml("requests.toml"), dict[str, Requests])


def locust_loads() -> dict[str, LocustLoad]:
    """Locust's loads by name."""
    return msgspec.convert(_toml("locust/loads.toml"), dict[str, LocustLoad])


def locust_cells(family: Family) -> list[Cell]:
    """The cells that Locust measures."""
    web = [Cell(path, family, load) for path in WEB_PATHS for load in locust_loads() if load.startswith("http")]
    return [*web, Cell("dns", family, "dns-fixed")]


def levels() -> dict[str, Level]:
    """The levels by name."""
    return msgspec.convert(_toml("levels.toml"), dict[str, Level])


def gated() -> list[Gated]:
    """What a gate decides on."""
    return msgspec.convert(_toml("margins.toml")["gated"], list[Gated])


def cells(level: Level, families: tuple[Family, ...], only: tuple[str, ...] = ()) -> list[Cell]:
    """The cells of a level, with the control of each; `only` keeps those whose id contains one of its words.

    UsageError if nothing is left.
    """
    changes = [Cell(CONTROL_PLANE, families[0], load) for load in CHANGES] if level.changes else []
    wanted = [Cell(path, family, load) for path in level.paths for family in families for load in level.loads]
    wanted += changes
    chosen = [cell for cell in wanted if not only or any(word in cell.id for word in only)]
    if not chosen:
        known = ", ".join(cell.id for cell in wanted[:6])
        raise UsageError(f"no cell of this level has {' or '.join(only)} in its name: they are {known} …")
    with_controls = ((cell,) if cell in changes else (cell.control, cell) for cell in chosen)
    return list(dict.fromkeys(each for both in with_controls for each in both))


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((bundle.root() / "loadtests" / name).read_text())
