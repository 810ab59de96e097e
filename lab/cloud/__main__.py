"""The lab's cloud as one program: `python -m lab.cloud MODE NODES`, outside the cluster, where the router is."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

from kubernetes import client, config

from lab import modes
from lab.cloud.interfaces import Interfaces
from lab.cloud.routes import Routes
from lab.components import PKI

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Do for the nodes what the mode named on the command line says, until killed; end if any of it fails."""
    cloud = modes.load(sys.argv[1]).cloud
    api = config.new_client_from_config(str(PKI / "cloud.kubeconfig"))  # type: ignore[no-untyped-call]
    core = client.CoreV1Api(api)
    jobs: list[Callable[[], None]] = []
    if cloud.routes:
        jobs.append(Routes(core, cloud.routes, cloud.route_quota).keep)
    if cloud.interfaces:
        interfaces = Interfaces(api, cloud, int(sys.argv[2]))
        jobs += [interfaces.serve, interfaces.publish, interfaces.keep_networkings]
    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        for ended in as_completed([pool.submit(job) for job in jobs]):
            # Whoever started this starts it again, whole.
            sys.stderr.write(f"ended: {ended.exception()!r}\n")
            pool.shutdown(wait=False, cancel_futures=True)
            raise SystemExit(1)


if __name__ == "__main__":
    main()
