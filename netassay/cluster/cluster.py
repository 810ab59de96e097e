"""The cluster, for synchronous callers of any thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from netassay.cluster.api import Api
from netassay.cluster.loop import LoopThread
from netassay.cluster.objects import Objects

if TYPE_CHECKING:
    import builtins
    from collections.abc import Coroutine
    from typing import Self

T = TypeVar("T")


class Cluster:
    """One Kubernetes cluster, reached by one kubeconfig context or from inside.

    Objects are the API's JSON as plain dicts; `kind` is "Pod", "Service" and so on, or "group/version:Kind" for what is
    not built in. Every failure, after modest retries, is a HarnessFault that says what was tried and what the server
    said; a refusal is `Forbidden`.
    """

    def __init__(self, loop: LoopThread, objects: Objects) -> None:
        """Use `connect`."""
        self.loop = loop
        self.objects = objects
        self.server = objects.api.server

    @classmethod
    def connect(cls, *, kubeconfig: str | None = None, context: str | None = None, in_cluster: bool = False) -> Cluster:
        """Open the cluster that the kubeconfig (default: kubectl's) and context name; UsageError if they cannot."""
        loop = LoopThread("netassay-cluster")
        try:
            api = loop.run(Api.connect(kubeconfig=kubeconfig, context=context, in_cluster=in_cluster))
        except BaseException:
            loop.close()
            raise
        return cls(loop, Objects(api))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the cluster's event loop; its result."""
        return self.loop.run(work)

    def serves(self, kind: str) -> bool:
        """Whether the API server serves objects of this kind that is not built in: "group/version:Kind"."""
        return self.run(self.objects.serves(kind))

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The object, or None if there is none."""
        return self.run(self.objects.get(kind, name, namespace))

    def list(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> builtins.list[dict[str, Any]]:
        """All objects that match the label and field selectors, in one namespace or all."""
        return self.run(self.objects.list(kind, namespace, labels=labels, fields=fields))

    def create(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create the object; as the server keeps it."""
        return self.run(self.objects.create(manifest))

    def apply(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create the object, or bring it to this state by server-side apply; as the server keeps it."""
        return self.run(self.objects.apply(manifest))

    def patch(self, kind: str, name: str, namespace: str | None, body: dict[str, Any]) -> dict[str, Any]:
        """Change the object by a JSON merge patch; as the server keeps it."""
        return self.run(self.objects.patch(kind, name, namespace, body))

    def delete(self, kind: str, name: str, namespace: str | None = None, *, grace_seconds: int | None = None) -> None:
        """Ask for the object's deletion, without waiting for it; one that is absent is fine."""
        self.run(self.objects.delete(kind, name, namespace, grace_seconds=grace_seconds))

    def delete_collection(self, kind: str, namespace: str | None, *, labels: str) -> None:
        """Ask for the deletion of all objects with these labels, without waiting for it."""
        self.run(self.objects.delete_collection(kind, namespace, labels=labels))

    def version(self) -> str:
        """The API server's version, as in "v1.37.2"."""
        return str(self.run(self.objects.api.json("read the version", "GET", "/version"))["gitVersion"])

    def pod_logs(self, name: str, namespace: str, *, container: str | None = None, tail: int = 200) -> str:
        """The last `tail` lines that the pod's container wrote."""
        query: dict[str, str | int] = {"tailLines": tail, **({"container": container} if container else {})}
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/log"
        what = f"read the log of Pod {name} in {namespace}"
        return self.run(self.objects.api.request(what, "GET", path, query=query)).decode(errors="replace")

    def close(self) -> None:
        """Close all connections and streams. Harmless when repeated."""
        if not self.loop.closed:
            self.run(self.objects.api.close())
            self.loop.close()

    def __enter__(self) -> Self:
        """The cluster; leaving closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()
