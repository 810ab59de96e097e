"""How a pod's serving process is told what to do: a socket in the pod, which the network cannot reach.

One JSON line each way: `{"do": "ready", "value": false}`, `{"do": "listen", "protocol": "tcp", "port": 9000}`,
`{"do": "unlisten", …}`, `{"do": "asked", "port": 53}`, `{"do": "status"}`, `{"do": "kill"}`, and those of recordings;
the answer is `{"value": …}` or `{"error": "…"}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from typing import TYPE_CHECKING, Any, Callable

from .recordings import Recordings

if TYPE_CHECKING:
    from .http_server import Health
    from .listeners import Listeners

# An answer can hold a page of a recording.
LONGEST_ANSWER = 16 * 1024 * 1024
# Time for the answer to leave before the process is gone.
KILL_SECONDS = 0.01


class Control:
    """The serving side of the socket."""

    def __init__(self, identity: str, health: Health, listeners: Listeners) -> None:
        """Commands are carried out on these."""
        self._identity, self._health, self._listeners = identity, health, listeners
        self._commands: dict[str, Callable[[dict[str, Any]], Any]] = {
            "ready": self._ready,
            "listen": self._listen,
            "unlisten": self._unlisten,
            "asked": lambda command: self._listeners.asked(command["port"]),
            "status": self._status,
            "kill": self._kill,
        }
        recordings = Recordings()
        self._commands.update(dict.fromkeys(recordings.commands, recordings.obey))

    async def serve(self, path: str) -> asyncio.AbstractServer:
        """Take commands at `path`, replacing the socket that an earlier process may have left there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 - pathlib would cost every pod its import
        old = os.umask(0o177)
        try:
            return await asyncio.start_unix_server(self._take, path)
        finally:
            os.umask(old)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            if line:
                writer.write(json.dumps(self._obey(json.loads(line))).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            # The asker is gone or did not speak our language: there is nobody to tell.
            pass
        finally:
            writer.close()

    def _obey(self, command: dict[str, Any]) -> dict[str, Any]:
        do = command.get("do")
        if do not in self._commands:
            return {"error": f"the serving agent knows no command {do!r}"}
        try:
            return {"value": self._commands[do](command)}
        except KeyError as error:
            return {"error": f"{do}: there is no {error}"}
        except RuntimeError as error:
            return {"error": str(error)}
        except OSError as error:
            return {"error": f"{do} {command.get('protocol')} {command.get('port')}: {error.strerror}"}

    def _ready(self, command: dict[str, Any]) -> bool:
        self._health.ready = bool(command["value"])
        return self._health.ready

    def _listen(self, command: dict[str, Any]) -> int:
        return self._listeners.open(command["protocol"], command["port"])

    def _unlisten(self, command: dict[str, Any]) -> bool:
        self._listeners.close(command["protocol"], command["port"])
        return True

    def _status(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"identity": self._identity, "ready": self._health.ready}

    def _kill(self, _: dict[str, Any]) -> bool:
        if os.getpid() == 1:
            raise RuntimeError(
                "the first process of its PID namespace is not killed from inside: let the pod share one"
            )
        asyncio.get_running_loop().call_later(KILL_SECONDS, os.kill, os.getpid(), signal.SIGKILL)
        return True


async def ask(path: str, command: dict[str, Any]) -> Any:
    """Have the serving process at `path` carry out `command`; its value. Raises RuntimeError with what went wrong."""
    if not path:
        raise RuntimeError("the agent was started without --control, so its serving process cannot be reached")
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_ANSWER)
    except OSError as error:
        raise RuntimeError(f"no serving agent at {path}: {error.strerror}") from None
    try:
        writer.write(json.dumps(command).encode() + b"\n")
        line = await asyncio.wait_for(reader.readline(), 5)
    except (OSError, asyncio.TimeoutError):
        line = b""
    finally:
        writer.close()
    if not line:
        raise RuntimeError(f"the serving agent at {path} did not answer {command.get('do')!r}")
    answer = json.loads(line)
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["value"]
