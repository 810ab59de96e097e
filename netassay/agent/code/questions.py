"""Which of a kept flow's questions an answer is to, and so when that was asked: answers may be read late."""

from __future__ import annotations

from collections import deque

# Lengths by which datagrams are told apart: at a usual beat, more than half a second's.
LENGTHS = 64
# Questions of a stream that are remembered while nothing is answered.
MOST = 4096


class Questions:
    """What was asked on one connection and has had no answer, the oldest first.

    Over a stream, answers come in the order of the questions, and are counted. Datagrams may be lost: there, questions
    differ in length, and an agent's answer says how long it was what it answers.
    """

    def __init__(self, request: bytes, *, datagrams: bool) -> None:
        """`request` is what to ask, which ends in a line feed where its length is to differ."""
        self._request, self._datagrams = request, datagrams
        self._next = self._answered = 0
        self._waiting: deque[tuple[int, float]] = deque(maxlen=LENGTHS if datagrams else MOST)

    def next(self) -> bytes:
        """What to ask next."""
        if not self._datagrams:
            return self._request
        return self._request[:-1] + b"." * (self._next % LENGTHS) + self._request[-1:]

    def asked(self, now: float) -> None:
        """Take note that it was asked."""
        self._waiting.append((self._next, now))
        self._next += 1

    def answered(self, count: int, received: int) -> float | None:
        """When the last of `count` questions that have just been answered was asked, if that can be told.

        `received` is how many bytes the peer says the question had.
        """
        self._answered += count
        last = self._of_length(received) if self._datagrams else self._answered - 1
        asked = next((moment for number, moment in self._waiting if number == last), None)
        while self._waiting and last is not None and self._waiting[0][0] <= last:
            self._waiting.popleft()
        return asked

    def _of_length(self, received: int) -> int | None:
        lengths = ((number, len(self._request) + number % LENGTHS) for number, _ in self._waiting)
        return next((number for number, length in lengths if length == received), None)
