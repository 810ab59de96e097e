"""The agent's command line.

`serve` is the container's process, `drive` is what the harness runs beside it, `attempt` is what an init container
does, and `rounds` measures how fast requests are answered.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys

PROTOCOLS = ("tcp", "udp", "http", "sctp")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="agent.pyz", description="netassay's agent: answers and makes connections in a pod."
    )
    parser.add_argument(
        "--identity",
        default=os.environ.get("POD_NAME") or socket.gethostname(),
        help="the name to answer with (default: $POD_NAME, else the host name)",
    )
    parser.add_argument(
        "--control",
        default=os.environ.get("NETASSAY_CONTROL", ""),
        help="path of the socket by which `drive` reaches `serve` (default: $NETASSAY_CONTROL, else none)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer on the given ports until stopped")
    for protocol in PROTOCOLS:
        serve.add_argument(f"--{protocol}", type=int, action="append", default=[], metavar="PORT")
    serve.add_argument("--not-ready", action="store_true", help="answer 503 at /readyz until told otherwise")
    serve.add_argument(
        "--linger", type=float, default=0.0, metavar="SECONDS", help="go on for so long once told to stop (default: 0)"
    )
    attempt = commands.add_parser("attempt", help="make one attempt, say what became of it, and fail if it did")
    attempt.add_argument("protocol", choices=PROTOCOLS)
    attempt.add_argument("host")
    attempt.add_argument("port", type=int)
    attempt.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS")
    rounds = commands.add_parser("rounds", help="measure requests and answers, as either end")
    rounds.add_argument("role", choices=("serve", "ask"))
    rounds.add_argument("port", type=int)
    rounds.add_argument("--host", default="", help="whom to ask")
    rounds.add_argument("--fresh", action="store_true", help="a connection for each request (CRR)")
    rounds.add_argument("--connections", type=int, default=1, metavar="N")
    rounds.add_argument("--seconds", type=float, default=10.0)
    rounds.add_argument("--omit", type=float, default=1.0, metavar="SECONDS")
    commands.add_parser(
        "drive", help="carry out commands read from stdin, one JSON object a line; ends when stdin does"
    )
    return parser


def main() -> int:
    """Run the agent; the exit code."""
    options = _parser().parse_args()
    if options.command == "serve":
        from .serve import serve  # noqa: PLC0415 - each process loads only what it needs: a pod starts the sooner

        return asyncio.run(serve(options))
    if options.command == "rounds":
        from .rounds import rounds  # noqa: PLC0415

        return rounds(options)
    if options.command == "attempt":
        from .single import attempt  # noqa: PLC0415

        return asyncio.run(attempt(options))
    from .drive import drive  # noqa: PLC0415

    return asyncio.run(drive(options))


if __name__ == "__main__":
    sys.exit(main())
