"""The zipapp: small, reproducible, and at home on every supported Python."""

from __future__ import annotations

import ast
import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from netassay.agent import pack
from netassay.agent.local import LocalAgent
from netassay.fleet import LocalProbe
from netassay.observation import Outcome

CODE = Path(pack.__file__).parent / "code"


def test_fits_a_config_map() -> None:
    assert len(pack.zipapp()) < 900_000


def test_is_the_same_each_time() -> None:
    first = pack.zipapp()
    pack.zipapp.cache_clear()
    assert pack.zipapp() == first


def test_holds_only_the_agent_and_what_queries_need_of_dnspython() -> None:
    names = zipfile.ZipFile(io.BytesIO(pack.zipapp())).namelist()
    assert {name.split("/")[0] for name in names} == {"__main__.py", "agent", "dns"}
    assert "dns/message.py" in names
    assert not [name for name in names if name.startswith(("dns/quic/", "dns/dnssec"))]


@pytest.mark.parametrize("path", sorted(CODE.glob("*.py")), ids=lambda path: path.stem)
def test_source_is_python_3_9(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 9))


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.12", "3.13"])
def test_runs_on_other_pythons(version: str, tmp_path: Path) -> None:
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-V"], check=False, capture_output=True).returncode:
        pytest.skip(f"no python{version} on this machine")
    with (
        LocalAgent(tmp_path, "elsewhere", python=python) as agent,
        LocalProbe(agent.drive_command, "client") as probe,
    ):
        assert probe.tcp("127.0.0.1", agent.ports["tcp"], payload=1000).answered_by == "elsewhere"
        assert probe.udp("127.0.0.1", agent.ports["udp"]).outcome is Outcome.OPEN
        assert probe.http("127.0.0.1", agent.ports["http"]).answered_by == "elsewhere"
        assert probe.lookup("localhost").outcome is Outcome.OPEN
        assert probe.session.python.startswith(version)


def test_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    path = pack.write_zipapp(tmp_path / "agent.pyz")
    isolated = [sys.executable, "-I", "-S", str(path), "--help"]
    assert subprocess.run(isolated, check=True, capture_output=True).stdout
