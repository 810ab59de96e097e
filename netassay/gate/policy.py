"""The gate's policy: what is required, what is allowed, and which known exceptions there are."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads it at run time
import re
from importlib import resources
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from netassay.bench.cells import Gated  # noqa: TC001 - msgspec reads it at run time
from netassay.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["conformance", "performance", "disruption"]


class ConformancePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may become of checks."""

    mode_may_change: bool = False
    missing: Literal["cannot decide", "ignore"] = "cannot decide"
    still_broken: Literal["note", "no-go"] = "note"


class PerformancePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How sure to be; `gated` empty stands for the harness's own list."""

    alpha: float = 0.05
    least_blocks: int = 5
    gated: tuple[Gated, ...] = ()


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern, in which * stands for anything, covers the whole text. Brackets stand for themselves."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


class FlowLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be done to flows that match."""

    match: str
    outage_ms: float
    lost: int
    ended: int


class DisruptionPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be done to flows: milliseconds of the longest outage, attempts lost, kept connections ended."""

    outage_ms: float = 1000.0
    lost: int = 100
    ended: int = 0
    flows: tuple[FlowLimits, ...] = ()
    figures: dict[str, float] = {}

    def limits_of(self, flow: str) -> FlowLimits:
        """The limits that count for this flow."""
        usual = FlowLimits("*", self.outage_ms, self.lost, self.ended)
        return next((one for one in self.flows if matches(one.match, flow)), usual)


class KnownException(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is known and accepted, by somebody, until a date."""

    match: str
    reason: str
    owner: str
    expires: dt.date

    def expired(self, today: dt.date) -> bool:
        """Whether it counts no more."""
        return today >= self.expires

    def covers(self, key: str) -> bool:
        """Whether it is about this item."""
        return matches(self.match, key)


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    required: tuple[Kind, ...] = ("conformance",)
    conformance: ConformancePolicy = ConformancePolicy()
    performance: PerformancePolicy = PerformancePolicy()
    disruption: DisruptionPolicy = DisruptionPolicy()
    exception: tuple[KnownException, ...] = ()


ADVICE: Final = "`netassay gate --print-policy` prints one with all that there is, explained"


def usual_text() -> str:
    """The policy that holds if there is no other, as a commented file."""
    return (resources.files(__package__) / "default.toml").read_text()


def usual_policy() -> Policy:
    """The policy that holds if there is no other."""
    return msgspec.toml.decode(usual_text(), type=Policy)


def read_policy(path: Path) -> Policy:
    """Read a policy. `UsageError` says what is wrong with it."""
    try:
        policy = msgspec.toml.decode(path.read_bytes(), type=Policy)
    except OSError as error:
        raise UsageError(f"--policy {path}: could not be read: {error.strerror}; {ADVICE}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise UsageError(f"--policy {path}: {error}; {ADVICE}") from error
    for number, known in enumerate(policy.exception, 1):
        empty = [name for name in ("match", "reason", "owner") if not getattr(known, name).strip()]
        if empty:
            raise UsageError(
                f"--policy {path}: exception {number} has no {' and no '.join(empty)}: say what, why, and who "
                "answers for it"
            )
    if not 0 < policy.performance.alpha < 0.5:  # noqa: PLR2004 - beyond, a coin would be as sure
        raise UsageError(
            f"--policy {path}: performance.alpha is a probability under 0.5, not {policy.performance.alpha}"
        )
    for gated in policy.performance.gated:
        if not 0 < gated.margin < 1:
            raise UsageError(
                f"--policy {path}: the margin of {gated.cell} is a fraction between 0 and 1, not {gated.margin}"
            )
    return policy
