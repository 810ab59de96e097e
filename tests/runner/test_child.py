"""Child processes: their output is kept, and their end is sure, whatever they do and however we end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netassay.runner import child as module
from netassay.runner.child import Child

if TYPE_CHECKING:
    from collections.abc import Iterator

STUBBORN = """
    import signal, subprocess, sys, time
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if len(sys.argv) == 1:
        other = subprocess.Popen([sys.executable, __file__, "leaf"])
        print(other.pid, flush=True)
    while True:
        time.sleep(0.1)
"""


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """Heed SIGINT, as a run does: a shell's job in the background begins with it ignored, and so would its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def script(folder: Path, text: str) -> list[str]:
    path = folder / "script.py"
    path.write_text(textwrap.dedent(text))
    return [sys.executable, str(path)]


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def eventually(true: object, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def first_number(log: Path) -> int:
    assert eventually(lambda: log.exists() and log.read_text().strip())
    return int(log.read_text().split()[0])


def test_output_and_exit_code_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "phase.log"
    text = "import sys; print('\\n'.join(map(str, range(100)))); print('oh', file=sys.stderr); sys.exit(5)"
    with Child(script(tmp_path, text), log) as child:
        assert eventually(lambda: child.wait(0.05) == 5)
        assert set(child.tail().splitlines()) == {*map(str, range(61, 100)), "oh"}


def test_of_a_crash_of_python_the_thread_is_told_that_it_happened_in(tmp_path: Path) -> None:
    log = tmp_path / "phase.log"
    text = """
        import faulthandler, os, threading, time
        faulthandler.enable()
        print("..", end="", flush=True)
        waiting = [threading.Thread(target=time.sleep, args=(60,), daemon=True) for _ in range(30)]
        def guilty():
            for thread in waiting:
                thread.start()
            os.abort()
        threading.Thread(target=guilty, daemon=True).start()
        time.sleep(60)
    """
    with Child(script(tmp_path, text), log) as child:
        assert eventually(lambda: child.wait(0.05) == -signal.SIGABRT)
        first, second, third, *_ = child.tail().splitlines()
    assert first == "Fatal Python error: Aborted"
    assert second.startswith("Current thread")
    assert "in guilty" in third


def test_leaving_the_block_ends_a_child_that_listens(tmp_path: Path) -> None:
    text = """
        import time
        try:
            print("up", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            print("ended in order")
    """
    log = tmp_path / "log"
    with Child(script(tmp_path, text), log):
        assert eventually(lambda: "up" in log.read_text())
    assert "ended in order" in log.read_text()


def test_leaving_the_block_ends_a_child_that_does_not_listen_and_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLITE_SECONDS", 0.2)
    monkeypatch.setattr(module, "FIRM_SECONDS", 0.2)
    log = tmp_path / "log"
    with Child(script(tmp_path, STUBBORN), log):
        leaf = first_number(log)
        assert alive(leaf)
    assert eventually(lambda: not alive(leaf))


def test_a_child_that_ended_leaves_no_child_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    text = """
        import subprocess, sys
        print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
    """
    with Child(script(tmp_path, text), log) as child:
        assert eventually(lambda: child.wait(0.05) == 0)
        leaf = first_number(log)
    assert eventually(lambda: not alive(leaf))


def test_the_child_ends_when_the_harness_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    text = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)"
    command = script(tmp_path, text)
    harness = f"""
        import time
        from pathlib import Path
        from netassay.runner.child import Child
        Child({command!r}, Path({str(log)!r}))
        time.sleep(60)
    """
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(harness)], cwd=root) as process:
        pid = first_number(log)
        os.kill(process.pid, signal.SIGKILL)
    assert eventually(lambda: not alive(pid))
