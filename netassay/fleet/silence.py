"""For how long nothing was heard, by an event loop that may itself have been too busy to hear."""

from __future__ import annotations

import asyncio


class Silence:
    """The other end's silence, in seconds of this loop's listening.

    What a loop does between two looks at its sockets counts for nothing, as nothing can be heard in that time. All that
    was waiting then is heard before the next `listen` returns, so that nobody is called silent who was not listened to.
    """

    def __init__(self) -> None:
        """Begin to listen."""
        self.seconds = 0.0
        self._heard = asyncio.get_running_loop().time()

    def heard(self) -> None:
        """Something came: the silence is over."""
        self.seconds = 0.0
        self._heard = asyncio.get_running_loop().time()

    async def listen(self, seconds: float) -> float:
        """Listen for so long; for how long nothing was heard by then."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(seconds)
        # What goes beyond what was to be slept is the loop's own: it was late.
        self.seconds += min(seconds, loop.time() - max(began, self._heard))
        return self.seconds
