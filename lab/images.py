"""The lab's container images, assembled here because a lab has no registry: a docker archive that containerd imports.

- pause: one static program, the sandbox of every pod;
- host: an empty root whose /usr is mounted from the machine, for system pods;
- python: Debian's Python and nothing else, for probes, which may mount nothing of the machine;
- load: the same with iperf3 and Locust, for pods that make load.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab import binaries, debian, paths
from lab.errors import LabError

FAMILIES = ("pause",)
"""The families of programs that images are assembled from."""

PAUSE, HOST, PYTHON = "netassay.lab/pause:1", "netassay.lab/host:1", "netassay.lab/python:3.11"
LOAD = "netassay.lab/load:1"
PYTHON_PACKAGES = ("python3-minimal", "libpython3-stdlib")
# What Locust's wheels link to is not among their own dependencies.
LOAD_PACKAGES = ("iperf3", "libstdc++6")
LOCUST = paths.PINS / "locust" / "requirements.txt"
SITE_PACKAGES = "usr/local/lib/load"
# What a probe never imports is a third of the size.
UNWANTED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/lib/python3/dist-packages")
UNWANTED_MODULES = ("ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tkinter", "turtledemo", "unittest")
HOST_FOLDERS = ("dev", "etc", "mnt", "opt", "proc", "run", "sys", "tmp", "usr", "var")
EPOCH = 0
PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
# Without it nft writes protocols as numbers, and a kube-proxy that is started again takes its own map elements, which
# it knows by name, for somebody else's, and deletes them.
PROTOCOLS = "icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\nsctp 132 SCTP\n"


@dataclass(frozen=True)
class Image:
    """A tag, what it starts, and its layers, the lowest first."""

    tag: str
    entrypoint: tuple[str, ...]
    layers: tuple[bytes, ...]
    environment: tuple[str, ...] = ()


def archive() -> Path:
    """Where the archive of all images is, once it is assembled: another place for each state of what goes into it."""
    pause = binaries.families()["pause"]
    release = Path("/etc/debian_version").read_text().strip()
    parts = f"{pause.key} {release}".encode() + Path(__file__).read_bytes() + LOCUST.read_bytes()
    key = hashlib.sha256(parts).hexdigest()[:16]
    return paths.cache() / "images" / f"lab-{key}.tar"


def assemble() -> None:
    """Make the archive, unless it is there; the families `FAMILIES` have to be built before."""
    file = archive()
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(f".{os.getpid()}")
    python = _python()
    images = (_pause(binaries.families()["pause"].folder), _host(), python, _load(python))
    try:
        _write(images, scratch)
        scratch.rename(file)
    finally:
        scratch.unlink(missing_ok=True)


def _pause(folder: Path) -> Image:
    with tempfile.TemporaryDirectory() as root:
        shutil.copy2(folder / "pause", Path(root, "pause"))
        return Image(PAUSE, ("/pause",), (_layer(Path(root)),))


def _host() -> Image:
    with tempfile.TemporaryDirectory() as root:
        for name in HOST_FOLDERS:
            Path(root, name).mkdir()
        for name in ("bin", "lib", "lib64", "sbin"):
            Path(root, name).symlink_to(f"usr/{name}")
        Path(root, "etc/protocols").write_text(PROTOCOLS)
        return Image(HOST, ("/bin/sh",), (_layer(Path(root)),))


def _python() -> Image:
    with tempfile.TemporaryDirectory() as downloads, tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        debian.unpack(debian.download(PYTHON_PACKAGES, Path(downloads)), root)
        for name in UNWANTED:
            shutil.rmtree(root / name, ignore_errors=True)
        (library,) = (path for path in root.glob("usr/lib/python3.*") if path.is_dir())
        for name in UNWANTED_MODULES:
            shutil.rmtree(library / name, ignore_errors=True)
        # A probe cannot write byte code beside the library, and would compile it anew at every start.
        compiler = (
            "chroot",
            folder,
            "/usr/bin/python3",
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode=unchecked-hash",
        )
        subprocess.run(
            [*compiler, f"/{library.relative_to(root)}"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        for name in ("etc", "tmp", "proc", "dev", "sys", "var"):
            (root / name).mkdir(exist_ok=True)
        (root / "etc/passwd").write_text("root:x:0:0::/:/\nnobody:x:65534:65534::/:/\n")
        (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
        return Image(PYTHON, ("/usr/bin/python3",), (_layer(root),))


def _load(python: Image) -> Image:
    with tempfile.TemporaryDirectory() as downloads, tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        debian.unpack(debian.download(LOAD_PACKAGES, Path(downloads), but=PYTHON_PACKAGES), root)
        for name in UNWANTED:
            shutil.rmtree(root / name, ignore_errors=True)
        # Wheels for the image's Python, whatever this one is.
        version = python.tag.rpartition(":")[2]
        machine = platform.machine()
        wanted = ["--only-binary", ":all:", "--python-version", version, "--implementation", "cp"]
        for platforms in ("manylinux_2_28", "manylinux2014"):
            wanted += ["--platform", f"{platforms}_{machine}"]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        target = ["--target", str(root / SITE_PACKAGES), "--require-hashes", "-r", str(LOCUST)]
        done = subprocess.run([*pip, *wanted, *target], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"pip could not install {LOCUST}:\n  {done.stderr.strip()[-2000:]}")
        return Image(LOAD, python.entrypoint, (*python.layers, _layer(root)), (f"PYTHONPATH=/{SITE_PACKAGES}",))


def _layer(root: Path) -> bytes:
    """The tar of `root`, the same bytes for the same content."""

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        info.mtime = EPOCH
        if info.name == "./tmp":
            info.mode = 0o1777
        elif info.name == ".":
            info.mode = 0o755
        return info

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(root, arcname=".", filter=plain)
    return buffer.getvalue()


def _write(images: tuple[Image, ...], file: Path) -> None:
    """Write the docker archive: layers and one configuration for each image, and the list of them."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    with tarfile.open(file, "w") as tar:

        def add(name: str, content: bytes) -> None:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))

        manifest = []
        written: set[str] = set()
        for image in images:
            digests = [hashlib.sha256(layer).hexdigest() for layer in image.layers]
            config = {
                "architecture": architecture,
                "os": "linux",
                "config": {"Entrypoint": image.entrypoint, "Env": [PATH, *image.environment]},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
                "history": [{"created_by": "netassay lab"} for _ in digests],
            }
            encoded = json.dumps(config).encode()
            name = f"{hashlib.sha256(encoded).hexdigest()}.json"
            for digest, layer in zip(digests, image.layers, strict=True):
                # Another image may bring the same layer.
                if digest not in written:
                    add(f"{digest}/layer.tar", layer)
                    written.add(digest)
            add(name, encoded)
            manifest.append(
                {"Config": name, "RepoTags": [image.tag], "Layers": [f"{digest}/layer.tar" for digest in digests]}
            )
        add("manifest.json", json.dumps(manifest).encode())
