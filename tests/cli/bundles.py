"""Bundles with a suite of their own, made of checks of every kind, for whole runs that take seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from netassay.results.collect import read_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from netassay.results.schema import RunRecord, Verdict

ROOT = Path(__file__).parent.parent.parent

HEAD = """
    import os, time
    import pytest
    from fixtures.verdicts import not_applicable
    from netassay.errors import HarnessFault, NetworkFault
    from netassay.matrix import Expected
    from netassay.observation import Attempt, Observation, Outcome, Protocol
"""

HOLDS = """
    @pytest.mark.claim("dns-a")
    def test_it_holds():
        \"\"\"A name resolves.\"\"\"

    @pytest.mark.claim("dns-srv")
    @pytest.mark.serial
    def test_it_holds_alone(verdict):
        verdict.note("time", 1.5, "s")
"""

BROKEN = """
    @pytest.mark.claim("dns-tcp")
    @pytest.mark.parametrize("way", ["here", "there"])
    def test_it_is_broken(way):
        raise NetworkFault(f"probe-1 (node-1, 10.1.0.2) got no answer {way}")
"""

DOUBT = """
    @pytest.mark.claim("dns-ptr")
    def test_the_harness_fails():
        raise HarnessFault("the probe is gone")

    @pytest.mark.claim("dns-headless")
    def test_the_check_has_a_mistake():
        {}["nothing"]

    @pytest.mark.claim("dns-each-replica")
    def test_it_does_not_apply():
        not_applicable("there is one replica")
"""


class Bundle:
    """A bundle with a suite of its own, and the project's own conftest, fixtures and templates."""

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self.root, self.out, self.kubeconfig = folder / "bundle", folder / "out", kubeconfig
        (self.root / "suites" / "dns").mkdir(parents=True)
        for name in ("conftest.py", "fixtures", "lab", "reports"):
            (self.root / name).symlink_to(ROOT / name)

    def suite(self, *parts: str) -> None:
        text = "".join(textwrap.dedent(part) for part in (HEAD, *parts))
        (self.root / "suites" / "dns" / "test_sample.py").write_text(text)

    @property
    def netassay(self) -> list[str]:
        """The command line, with this bundle's suites in place of the project's."""
        script = (
            f"import sys; sys.argv[0] = 'netassay'; from pathlib import Path; from netassay import bundle, cli; "
            f"bundle.root = lambda: Path({str(self.root)!r}); cli.main()"
        )
        return [sys.executable, "-c", script]

    def command(self, *arguments: str) -> list[str]:
        return [*self.netassay, "run", "--kubeconfig", str(self.kubeconfig), "--out", str(self.out), *arguments]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "PYTEST_ADDOPTS": "--no-such-option"}

    def run(self, *arguments: str, code: int, before: Callable[[], None] | None = None) -> str:
        """Run it to its end, look at its exit code, and give its output."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
            preexec_fn=before,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def verdicts(self) -> dict[str, Verdict]:
        return {record.id.partition("::")[2]: record.verdict for record in self.record().checks}

    def record(self) -> RunRecord:
        return read_run(self.out)
