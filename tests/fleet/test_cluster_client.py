"""The client of the API server: configuration, paths and errors, against a real HTTP server that answers like one."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from netassay.cluster import ApiError, Cluster, Forbidden
from netassay.cluster.kinds import BUILT_IN
from netassay.errors import HarnessFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "token-that-must-not-be-told"  # noqa: S105


class ApiServer(ThreadingHTTPServer):
    """Answers with what `answers` holds for "METHOD /path", in turn; the last one stays."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    def say(self, request: str, *answers: tuple[int, Any]) -> None:
        self.answers[request] = list(answers)


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = f"{self.command} {self.path.partition('?')[0]}"
        self.server.asked.append(
            (f"{self.command} {self.path}", {k.lower(): v for k, v in self.headers.items()}, json.loads(body or "null"))
        )
        answers = self.server.answers.get(request, [(404, status("NotFound", "nothing here"))])
        code, said = answers.pop(0) if len(answers) > 1 else answers[0]
        data = json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        if code == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_request  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def status(reason: str, message: str) -> dict[str, str]:
    return {"kind": "Status", "reason": reason, "message": message}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def kubeconfig(server: ApiServer, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    config = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "u", "user": {"token": SECRET}}],
        "contexts": [{"name": "right", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "right",
    }
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
def cluster(kubeconfig: Path) -> Iterator[Cluster]:
    with Cluster.connect(kubeconfig=str(kubeconfig)) as connected:
        yield connected


def test_no_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"kubeconfig .*nothing: .*; give --kubeconfig FILE"):
        Cluster.connect(kubeconfig=str(tmp_path / "nothing"))


def test_no_such_context(kubeconfig: Path) -> None:
    with pytest.raises(UsageError, match=r"context wrong: .*wrong"):
        Cluster.connect(kubeconfig=str(kubeconfig), context="wrong")


@pytest.mark.parametrize("text", ["", "not: [closed", "just a word", "clusters: 7"])
def test_broken_kubeconfig(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken"
    path.write_text(text)
    with pytest.raises(UsageError):
        Cluster.connect(kubeconfig=str(path))


def test_in_cluster_outside_a_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(UsageError, match="no in-cluster credentials"):
        Cluster.connect(in_cluster=True)


def test_in_cluster_and_kubeconfig_are_one_too_many(kubeconfig: Path) -> None:
    with pytest.raises(UsageError, match="cannot both be used"):
        Cluster.connect(in_cluster=True, kubeconfig=str(kubeconfig))


def test_paths_of_kinds() -> None:
    assert BUILT_IN["Pod"].path("ns", "a") == "/api/v1/namespaces/ns/pods/a"
    assert BUILT_IN["Pod"].path(None) == "/api/v1/pods"
    assert BUILT_IN["Node"].path("ignored", "n/1") == "/api/v1/nodes/n%2F1"
    assert BUILT_IN["NetworkPolicy"].path("ns") == "/apis/networking.k8s.io/v1/namespaces/ns/networkpolicies"
    with pytest.raises(HarnessFault, match="cannot get Pod a: its namespace is needed"):
        BUILT_IN["Pod"].path(None, "a", verb="get")


def test_get_and_absent(cluster: Cluster, server: ApiServer) -> None:
    server.say("GET /api/v1/namespaces/ns/pods/a", (200, {"metadata": {"name": "a"}}))
    assert cluster.get("Pod", "a", "ns") == {"metadata": {"name": "a"}}
    assert cluster.get("Pod", "b", "ns") is None
    assert server.asked[0][1]["authorization"] == f"Bearer {SECRET}"


def test_lists_are_read_to_their_end(cluster: Cluster, server: ApiServer) -> None:
    first = {"metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a"}}]}
    last = {"metadata": {}, "items": [{"metadata": {"name": "b"}}]}
    server.say("GET /api/v1/namespaces/ns/pods", (200, first), (200, last))
    found = cluster.list("Pod", "ns", labels="app=x", fields="status.phase=Running")
    assert [(one["kind"], one["metadata"]["name"]) for one in found] == [("Pod", "a"), ("Pod", "b")]
    assert "labelSelector=app%3Dx" in server.asked[1][0]
    assert "continue=more" in server.asked[1][0]


def test_list_that_expired_between_pages_is_read_anew(cluster: Cluster, server: ApiServer) -> None:
    first = {"metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a"}}]}
    whole = {"metadata": {}, "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}
    server.say("GET /api/v1/nodes", (200, first), (410, status("Expired", "too old")), (200, whole))
    assert [one["metadata"]["name"] for one in cluster.list("Node")] == ["a", "b"]
    assert "limit" not in server.asked[-1][0]


def test_kinds_that_are_not_built_in_are_discovered(cluster: Cluster, server: ApiServer) -> None:
    resources = [{"name": "widgets", "kind": "Widget", "namespaced": True}]
    server.say("GET /apis/example.com/v1", (200, {"resources": resources}))
    server.say("GET /apis/example.com/v1/namespaces/ns/widgets/w", (200, {"spec": 1}))
    assert cluster.get("example.com/v1:Widget", "w", "ns") == {"spec": 1}
    with pytest.raises(HarnessFault, match=r"serves no kind Gadget in example\.com/v1"):
        cluster.get("example.com/v1:Gadget", "g", "ns")
    with pytest.raises(HarnessFault, match="which Widget"):
        cluster.get("Widget", "w", "ns")


def test_a_cluster_is_asked_which_kinds_it_serves(cluster: Cluster, server: ApiServer) -> None:
    routes = {"name": "routes", "kind": "Route", "namespaced": True}
    server.say("GET /apis/example.com/v1", (200, {"resources": [routes]}))
    assert cluster.serves("example.com/v1:Route")
    assert not cluster.serves("example.com/v1:Tap")
    assert not cluster.serves("example.org/v1:Route")


def test_forbidden_says_which_right_and_how_to_get_it(cluster: Cluster, server: ApiServer) -> None:
    words = 'nodes is forbidden: User "u" cannot list resource "nodes" in API group "" at the cluster scope'
    server.say("GET /api/v1/nodes", (403, status("Forbidden", words)))
    with pytest.raises(Forbidden) as caught:
        cluster.list("Node")
    assert words in str(caught.value)
    assert "list Nodes" in str(caught.value)
    assert "deploy/rbac.yaml" in str(caught.value)


def test_conflict_is_told_apart(cluster: Cluster, server: ApiServer) -> None:
    server.say("POST /api/v1/namespaces", (409, status("AlreadyExists", 'namespaces "x" already exists')))
    with pytest.raises(ApiError, match=r"create Namespace x: .* 409 AlreadyExists") as caught:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    assert (caught.value.status, caught.value.reason) == (409, "AlreadyExists")


def test_create_that_came_through_though_its_answer_did_not(cluster: Cluster, server: ApiServer) -> None:
    server.say("POST /api/v1/namespaces", (500, status("", "lost")), (409, status("AlreadyExists", "exists")))
    server.say("GET /api/v1/namespaces/x", (200, {"metadata": {"name": "x"}}))
    made = cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    assert made == {"metadata": {"name": "x"}}


@pytest.mark.parametrize("code", [429, 500, 503])
def test_passing_troubles_are_ridden_out(cluster: Cluster, server: ApiServer, code: int) -> None:
    server.say("GET /api/v1/nodes/n", (code, status("", "later")), (200, {"ok": True}))
    assert cluster.get("Node", "n") == {"ok": True}


def test_invalid_is_not_tried_again(cluster: Cluster, server: ApiServer) -> None:
    server.say("PATCH /api/v1/namespaces/ns/services/s", (422, status("Invalid", "spec.ports: Required value")))
    with pytest.raises(ApiError, match=r"patch Service s in ns: .* 422 Invalid: spec\.ports: Required value"):
        cluster.patch("Service", "s", "ns", {})
    assert len(server.asked) == 1
    assert server.asked[0][1]["content-type"] == "application/merge-patch+json"


def test_delete_of_what_is_gone_is_fine(cluster: Cluster, server: ApiServer) -> None:
    cluster.delete("Pod", "gone", "ns", grace_seconds=0)
    assert server.asked[0][2]["gracePeriodSeconds"] == 0


def test_nothing_is_deleted_without_labels(cluster: Cluster) -> None:
    with pytest.raises(HarnessFault, match="labels are needed"):
        cluster.delete_collection("Pod", "ns", labels="")


def test_server_that_is_gone(cluster: Cluster, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netassay.cluster.api.FIRST_PAUSE_SECONDS", 0.01)
    server.shutdown()
    server.server_close()
    with pytest.raises(HarnessFault, match=r"get Node n: no answer from http://127\.0\.0\.1") as caught:
        cluster.get("Node", "n")
    assert SECRET not in str(caught.value)


def test_expired_token_is_read_again(cluster: Cluster, server: ApiServer, kubeconfig: Path) -> None:
    server.say("GET /api/v1/nodes/n", (401, status("Unauthorized", "Unauthorized")), (200, {"ok": True}))
    kubeconfig.write_text(kubeconfig.read_text().replace(SECRET, "newer"))
    assert cluster.get("Node", "n") == {"ok": True}


def test_refused_credentials_tell_no_secret(cluster: Cluster, server: ApiServer) -> None:
    server.say("GET /api/v1/nodes/n", (401, status("Unauthorized", "Unauthorized")))
    with pytest.raises(ApiError, match="log in again") as caught:
        cluster.get("Node", "n")
    assert SECRET not in str(caught.value)


def test_closed_cluster_says_so(kubeconfig: Path) -> None:
    cluster = Cluster.connect(kubeconfig=str(kubeconfig))
    cluster.close()
    cluster.close()
    with pytest.raises(HarnessFault, match="was closed"):
        cluster.list("Node")
