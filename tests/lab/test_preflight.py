"""What is missing is told in one message each, before anything is changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab import modes, paths, preflight
from lab.errors import LabError

MODE = modes.load(modes.DEFAULT)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@needs_root
def test_without_root_it_says_so_and_names_the_way_that_needs_none() -> None:
    os.seteuid(65534)
    try:
        with pytest.raises(LabError, match=r"needs root.*--kubeconfig"):
            preflight.check(MODE)
    finally:
        os.seteuid(0)


@needs_root
def test_without_go_it_says_which_go_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/sbin:/usr/bin")
    with pytest.raises(LabError, match=r"found no `go` on PATH. Install Go 1\.26"):
        preflight.check(MODE)


@needs_root
def test_an_old_go_is_told_by_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go version go1.22.3 linux/amd64\n")
    old.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/sbin:/usr/bin")
    with pytest.raises(LabError, match=r"needs Go 1\.26 or newer; .* says .*go1\.22\.3"):
        preflight.check(MODE)


@pytest.mark.lab
def test_a_disk_that_is_too_small_is_told_with_what_is_needed_and_what_is_free(tmp_path: Path) -> None:
    script = "from lab import modes, preflight; preflight.check(modes.load(modes.DEFAULT))"
    command = f'mount -t tmpfs -o size=64m none {tmp_path} && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command, "sh", sys.executable, "-c", script],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert "needs 10 GiB of free disk, and 0.1 GiB are free" in done.stderr
    assert not list(tmp_path.iterdir()), "something was changed before the disk was found too small"


def test_a_machine_that_has_all_passes() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can bring a lab up")
    preflight.check(MODE)
    assert not paths.STATE.exists() or (paths.STATE / "lab.json").exists()
