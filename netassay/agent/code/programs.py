"""eBPF programs on the links of the agent's network namespace.

What `tc` lists, netlink tells to everybody. Programs that were attached as newer kernels have it (tcx, and those of
netkit links) show by bpf(2) alone, to whoever has CAP_BPF and CAP_NET_ADMIN in the machine's own user namespace.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

from .netlink import attributes, dump

RTM_NEWTFILTER, RTM_GETTFILTER = 44, 46
TCA_KIND = 1
TC_HEADER = struct.Struct("=BxxxiIII")
INGRESS, EGRESS = 0xFFFFFFF2, 0xFFFFFFF3
"""The two sides of the queueing discipline clsact, to which programs are attached."""

BPF_PROG_QUERY = 16
QUERY = struct.Struct("=IIIIQIIQQQQ")
ATTACHED_AS = (46, 47, 54, 55)
"""Programs of a link: BPF_TCX_INGRESS and _EGRESS, BPF_NETKIT_PRIMARY and _PEER."""

SYSCALLS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "loongarch64": 280, "s390x": 351, "ppc64le": 361}
"""The number of bpf(2) by machine."""


def programs() -> dict[str, int]:
    """How many programs each link has, by the link's name. Raises RuntimeError if the kernel does not tell."""
    return {name: _listed(index) + _attached(index) for index, name in socket.if_nameindex()}


def _listed(index: int) -> int:
    """How many filters of a link are eBPF, as tc has them."""
    found = 0
    for side in (INGRESS, EGRESS):
        header = TC_HEADER.pack(socket.AF_UNSPEC, index, 0, side, 0)
        for message in dump(RTM_GETTFILTER, RTM_NEWTFILTER, header, "the filters of its links"):
            _, _, handle, _, _ = TC_HEADER.unpack_from(message)
            kind = dict(attributes(message[TC_HEADER.size :])).get(TCA_KIND, b"")
            # Each chain of filters comes as a message of its own, which has no handle.
            found += handle != 0 and kind.rstrip(b"\0") == b"bpf"
    return found


def _attached(index: int) -> int:
    """How many programs a link has that tc does not list."""
    import ctypes  # noqa: PLC0415 - for those who ask only

    number = SYSCALLS.get(os.uname().machine)
    if number is None:
        raise RuntimeError(f"the number of bpf(2) on {os.uname().machine} is not known")
    call = ctypes.CDLL(None, use_errno=True).syscall
    found = 0
    for attached_as in ATTACHED_AS:
        query = ctypes.create_string_buffer(QUERY.pack(index, attached_as, 0, 0, 0, 0, 0, 0, 0, 0, 0), QUERY.size)
        if call(number, BPF_PROG_QUERY, query, QUERY.size) == 0:
            found += QUERY.unpack(query.raw)[5]
            continue
        said = ctypes.get_errno()
        if said in (errno.EPERM, errno.EACCES, errno.ENOSYS):
            raise RuntimeError(f"the kernel does not tell which programs its links have: {os.strerror(said)}")
        # Anything else means none of this kind: an older kernel, another kind of link, or one that has gone since.
    return found
