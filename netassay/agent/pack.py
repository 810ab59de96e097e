"""Packs the agent and dnspython into one zipapp that any stock Python image can run."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import os
import zipfile
from pathlib import Path

from netassay.errors import HarnessFault

MAX_BYTES = 900_000
"""A ConfigMap holds 1 MiB; the rest is for its metadata and for growth."""

_MAIN = "import sys\n\nfrom agent.main import main\n\nsys.exit(main())\n"
# The parts of dnspython that query and parse messages; the rest is zones, DNSSEC, other transports and other event
# loops.
_DNS_LEFT_OUT = (
    "_asyncbackend",
    "_asyncio_backend",
    "_ddr",
    "_no_ssl",
    "_tls_util",
    "_trio_backend",
    "asyncbackend",
    "asyncquery",
    "asyncresolver",
    "btree",
    "btreezone",
    "dnssec",
    "dnssecalgs",
    "dnssectypes",
    "e164",
    "grange",
    "namedict",
    "nameserver",
    "node",
    "query",
    "quic",
    "resolver",
    "transaction",
    "tsigkeyring",
    "update",
    "versioned",
    "win32util",
    "xfr",
    "zone",
    "zonefile",
    "zonetypes",
)
# One date for all members: the same sources always give the same bytes.
_DATE = (2020, 1, 1, 0, 0, 0)


@functools.cache
def zipapp() -> bytes:
    """The agent as `agent.pyz`, the same bytes for the same sources.

    Raises HarnessFault if dnspython is not installed.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        _add(archive, "__main__.py", _MAIN.encode())
        for path in sorted((Path(__file__).parent / "code").glob("*.py")):
            _add(archive, f"agent/{path.name}", path.read_bytes())
        dns = _installed("dns")
        for path in sorted(dns.rglob("*.py")):
            name = path.relative_to(dns)
            if name.parts[0].removesuffix(".py") not in _DNS_LEFT_OUT:
                _add(archive, f"dns/{name.as_posix()}", path.read_bytes())
    data = content.getvalue()
    if len(data) > MAX_BYTES:
        raise HarnessFault(f"the agent's zipapp has {len(data)} bytes, more than the {MAX_BYTES} that fit a ConfigMap")
    return data


def digest() -> str:
    """Ten characters that change whenever the agent does."""
    return hashlib.sha256(zipapp()).hexdigest()[:10]


def write_zipapp(path: Path) -> Path:
    """Write the zipapp to `path` (made with its parents), for agents outside the cluster; the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # In one step, so that nobody runs half of it: several processes of a run may write it at once.
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.write_bytes(zipapp())
    scratch.replace(path)
    return path


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)


def _installed(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise HarnessFault(f"the Python package {package!r} is not installed: reinstall netassay with its dependencies")
    return Path(next(iter(spec.submodule_search_locations)))
