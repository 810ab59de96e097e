"""The pods that benchmarks against other tools measure in: one on each of two nodes, as a block of the bench has."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from netassay.bench.topology import Topology
from netassay.cli.bench import LAB_LOAD_IMAGE, LAB_PROBE_IMAGE
from netassay.cluster import Cluster
from netassay.families import Family
from netassay.fleet import Fleet, Run

if TYPE_CHECKING:
    from collections.abc import Iterator


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A parser that knows which cluster to measure in, and by which images."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--image", default=LAB_PROBE_IMAGE)
    parser.add_argument("--load-image", default=LAB_LOAD_IMAGE)
    return parser


@contextmanager
def pods(options: argparse.Namespace) -> Iterator[Topology]:
    """A block's pods, for as long as they are measured in."""
    with Cluster.connect(kubeconfig=options.kubeconfig) as cluster, tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(cluster, Run.new(), image=options.image, privileged=False, lock_dir=Path(folder))
        try:
            yield Topology(fleet, 1, load_image=options.load_image, families=(Family.IPV4,))
        finally:
            fleet.sweep()
