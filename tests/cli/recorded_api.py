"""An API server on the loopback that answers from recorded objects: what a client needs that only looks."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED = Path(__file__).parent.parent / "modes" / "recorded"

KINDS = {
    "nodes": "Node",
    "pods": "Pod",
    "daemonsets": "DaemonSet",
    "configmaps": "ConfigMap",
    "services": "Service",
    "namespaces": "Namespace",
}


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for each answer
    objects: dict[str, list[dict[str, Any]]]
    refused: tuple[str, ...]
    admits: bool

    def do_GET(self) -> None:
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts == ["version"]:
            return self._answer(200, {"gitVersion": "v1.37.2"})
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = parts[1] if len(parts) > 2 and parts[0] == "namespaces" else None
        kind, *name = parts[2:] if namespace else parts
        if kind in self.refused:
            return self._answer(403, {"reason": "Forbidden", "message": f'User "ci" cannot list resource "{kind}"'})
        found = [
            one for one in self.objects.get(KINDS[kind], []) if namespace in (None, one["metadata"].get("namespace"))
        ]
        if not name:
            return self._answer(200, {"kind": "List", "metadata": {}, "items": found})
        named = [one for one in found if one["metadata"]["name"] == name[0]]
        return (
            self._answer(200, named[0]) if named else self._answer(404, {"reason": "NotFound", "message": "not found"})
        )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["kind"] == "SelfSubjectAccessReview":
            asked = body["spec"]["resourceAttributes"]
            resource = "/".join(part for part in (asked["resource"], asked["subresource"]) if part)
            return self._answer(201, {**body, "status": {"allowed": resource not in self.refused}})
        if self.admits and urlsplit(self.path).query.count("dryRun=All"):
            return self._answer(201, body)
        return self._answer(403, {"reason": "Forbidden", "message": "admission refuses namespaces"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def recorded_api(
    folder: Path, name: str = "flannel-vxlan", *, refused: tuple[str, ...] = (), admits: bool = True
) -> Iterator[Path]:
    """Serve the recorded objects called `name`; gives a kubeconfig for it, written into `folder`."""
    objects = json.loads((RECORDED / f"{name}.json").read_text())
    handler = type("Recorded", (Handler,), {"objects": objects, "refused": refused, "admits": admits})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "ci"}}],
                "clusters": [{"name": "here", "cluster": {"server": url}}],
                "users": [{"name": "ci", "user": {}}],
            }
        )
    )
    try:
        yield kubeconfig
    finally:
        server.shutdown()
        server.server_close()
