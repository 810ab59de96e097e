"""Names by the libc path: getaddrinfo, with the search list, hosts file and options in force in the pod."""

from __future__ import annotations

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import kernel

# getaddrinfo blocks, for 10 s and more when a name server is silent: enough threads that attempts do not queue for one.
THREADS = 128


class Names:
    """Look-ups through the C library, off the event loop."""

    def __init__(self) -> None:
        """Threads start as they are needed."""
        self._threads = ThreadPoolExecutor(THREADS, "getaddrinfo")

    def resolve(self, host: str) -> asyncio.Future[Any]:
        """The family and address that a client would try first; the future fails with LookupError."""
        return asyncio.get_running_loop().run_in_executor(self._threads, _first_address, host)

    async def lookup(self, name: str, timeout: float) -> dict[str, Any]:
        """Everything getaddrinfo says of `name`."""
        clock = time.perf_counter()
        found: dict[str, Any] = {"addresses": [], "canonical": "", "outcome": kernel.OPEN, "error": ""}
        call = asyncio.get_running_loop().run_in_executor(self._threads, _getaddrinfo, name)
        try:
            rows = await asyncio.wait_for(call, timeout)
            found["addresses"] = list(dict.fromkeys(kernel.plain_address(str(row[4][0])) for row in rows))
            found["canonical"] = next((row[3] for row in rows if row[3]), "")
        except asyncio.TimeoutError:
            found.update(outcome=kernel.TIMED_OUT, error=f"the resolver gave no answer in {timeout:g} s")
        except LookupError as error:
            found.update(outcome=kernel.NAME_ERROR, error=str(error))
        found["microseconds"] = int((time.perf_counter() - clock) * 1e6)
        return found


def _getaddrinfo(name: str) -> list[Any]:
    try:
        return socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except socket.gaierror as error:
        raise LookupError(f"{_EAI.get(error.errno or 0, error.errno)}: {error.strerror}") from None
    except (OSError, UnicodeError) as error:
        raise LookupError(str(error)) from None


_EAI = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}


def _first_address(name: str) -> tuple[int, str]:
    family, _, _, _, address = _getaddrinfo(name)[0]
    return int(family), str(address[0])
