"""Kubernetes objects as plain dicts, by kind and name."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from netassay.cluster.errors import ApiError
from netassay.cluster.kinds import BUILT_IN, Resource, split_kind
from netassay.errors import HarnessFault

if TYPE_CHECKING:
    import builtins

    from netassay.cluster.api import Api

PAGE = 500
FIELD_MANAGER = "netassay"


class Objects:
    """Reads and writes objects. Everything here runs on the cluster's event loop."""

    def __init__(self, api: Api) -> None:
        """Objects as `api` serves them."""
        self.api = api
        self._discovered: dict[str, Resource] = {}

    async def serves(self, kind: str) -> bool:
        """Whether the API server serves objects of this kind that is not built in: "group/version:Kind"."""
        if kind not in self._discovered:
            await self._discover(split_kind(kind)[0])
        return kind in self._discovered

    async def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The object, or None if there is none."""
        resource = await self._resource(kind)
        path = resource.path(namespace, name, verb="get")
        try:
            return await self.api.json(_what("get", resource, name, namespace), "GET", path)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def list(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> builtins.list[dict[str, Any]]:
        """All objects that match the selectors, in one namespace or all."""
        resource = await self._resource(kind)
        query: dict[str, str | int] = {"limit": PAGE}
        query.update({key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value})
        what = f"list {resource.kind}s in {namespace}" if namespace else f"list {resource.kind}s"
        try:
            return await self._pages(what, resource, resource.path(namespace), query)
        except ApiError as error:
            if error.status != HTTPStatus.GONE:
                raise
        # The list's snapshot expired between two pages: once more, in one piece.
        del query["limit"]
        return await self._pages(what, resource, resource.path(namespace), query)

    async def create(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create the object; as the server keeps it. ApiError (409, `AlreadyExists`) if there is one of that name."""
        resource, name, namespace = await self._place(manifest)
        what = _what("create", resource, name, namespace)
        query = {"fieldManager": FIELD_MANAGER}
        try:
            return await self.api.json(what, "POST", resource.path(namespace), body=manifest, query=query)
        except ApiError as error:
            # The first try may have come through, and only its answer been lost.
            made = await self.get(f"{resource.api_version}:{resource.kind}", name, namespace) if error.retried else None
            if error.status != HTTPStatus.CONFLICT or made is None:
                raise
            return made

    async def apply(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create the object, or bring it to this state by server-side apply; as the server keeps it."""
        resource, name, namespace = await self._place(manifest)
        return await self.api.json(
            _what("apply", resource, name, namespace),
            "PATCH",
            resource.path(namespace, name, verb="apply"),
            body=manifest,
            content_type="application/apply-patch+yaml",
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
        )

    async def patch(self, kind: str, name: str, namespace: str | None, body: dict[str, Any]) -> dict[str, Any]:
        """Change the object by a JSON merge patch."""
        resource = await self._resource(kind)
        return await self.api.json(
            _what("patch", resource, name, namespace),
            "PATCH",
            resource.path(namespace, name, verb="patch"),
            body=body,
            content_type="application/merge-patch+json",
            query={"fieldManager": FIELD_MANAGER},
        )

    async def delete(
        self, kind: str, name: str, namespace: str | None = None, *, grace_seconds: int | None = None
    ) -> None:
        """Ask for the object's deletion; one that is absent is fine."""
        resource = await self._resource(kind)
        path = resource.path(namespace, name, verb="delete")
        what = _what("delete", resource, name, namespace)
        try:
            await self.api.request(what, "DELETE", path, body=_options(grace_seconds))
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def delete_collection(
        self, kind: str, namespace: str | None, *, labels: str, grace_seconds: int | None = None
    ) -> None:
        """Ask for the deletion of all objects with these labels."""
        if not labels:
            raise HarnessFault(f"delete {kind}s: labels are needed, so that nothing of others is deleted")
        resource = await self._resource(kind)
        await self.api.request(
            f"delete {resource.kind}s in {namespace} with {labels}",
            "DELETE",
            resource.path(namespace),
            query={"labelSelector": labels},
            body=_options(grace_seconds),
        )

    async def _pages(
        self, what: str, resource: Resource, path: str, query: dict[str, str | int]
    ) -> builtins.list[dict[str, Any]]:
        found: builtins.list[dict[str, Any]] = []
        # The server leaves kind and version out of the items of a list.
        named = {"apiVersion": resource.api_version, "kind": resource.kind}
        async for page in self.api.pages(what, path, query):
            found += [{**named, **item} for item in page["items"] or []]
        return found

    async def _place(self, manifest: dict[str, Any]) -> tuple[Resource, str, str | None]:
        try:
            kind = f"{manifest['apiVersion']}:{manifest['kind']}"
        except KeyError as error:
            raise HarnessFault(f"a manifest needs {error}: {str(manifest)[:200]}") from None
        resource = await self._resource(kind)
        metadata = manifest.get("metadata", {})
        if resource.namespaced and not metadata.get("namespace"):
            raise HarnessFault(f"{resource.kind} {metadata.get('name', '')}: its manifest needs metadata.namespace")
        return resource, metadata.get("name", metadata.get("generateName", "")), metadata.get("namespace")

    async def _resource(self, kind: str) -> Resource:
        api_version, bare = split_kind(kind)
        known = BUILT_IN.get(bare)
        if known and api_version in ("", known.api_version):
            return known
        if not api_version:
            raise HarnessFault(f"which {bare}? Only built-in kinds go by their bare name; write group/version:{bare}")
        if not await self.serves(kind):
            raise HarnessFault(f"{self.api.server} serves no kind {bare} in {api_version}")
        return self._discovered[kind]

    async def _discover(self, api_version: str) -> None:
        root = "/api/" if "/" not in api_version else "/apis/"
        try:
            found = await self.api.json(f"discover {api_version}", "GET", root + api_version)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return
            raise
        for item in found.get("resources", []):
            if "/" not in item["name"]:
                resource = Resource(api_version, item["kind"], item["name"], item["namespaced"])
                self._discovered[f"{api_version}:{item['kind']}"] = resource


def _what(verb: str, resource: Resource, name: str, namespace: str | None) -> str:
    return f"{verb} {resource.kind} {name} in {namespace}" if resource.namespaced else f"{verb} {resource.kind} {name}"


def _options(grace_seconds: int | None) -> dict[str, Any]:
    options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    return options if grace_seconds is None else {**options, "gracePeriodSeconds": grace_seconds}
