"""What the API server refuses, as faults of the harness: none of it says anything about the network."""

from __future__ import annotations

from http import HTTPStatus

from netassay.errors import HarnessFault


class ApiError(HarnessFault):
    """The API server answered with an error.

    `status` is the HTTP code, `reason` Kubernetes' word for it, as in `AlreadyExists`; `retried` whether the request
    had been sent before, and so may have done its work then.
    """

    def __init__(self, message: str, *, status: int, reason: str, retried: bool = False) -> None:
        """Use `api_error`."""
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retried = retried


class Forbidden(ApiError):
    """A right is missing, or an admission rule (Pod Security, quota …) refuses the object: see the server's words."""


def api_error(what: str, server: str, status: int, reason: str, words: str, *, retried: bool) -> ApiError:
    """The fault for an error that `server` answered when asked to do `what`."""
    message = f"{what}: {server} said {status} {reason or _phrase(status)}: {words.strip() or '(nothing more)'}"
    if status == HTTPStatus.UNAUTHORIZED:
        message += "; the credentials of this kubeconfig are missing or have expired: log in again"
    if status != HTTPStatus.FORBIDDEN:
        return ApiError(message, status=status, reason=reason, retried=retried)
    if "violates PodSecurity" in words:
        message += "; the namespace's Pod Security level refuses this pod"
    elif " cannot " in words:
        message += "; grant it: deploy/rbac.yaml holds the rights that an assay needs"
    return Forbidden(message, status=status, reason=reason, retried=retried)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "error"
