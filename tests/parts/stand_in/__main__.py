"""`python -m tests.parts.stand_in PORT`: all stand-ins, until the process ends."""

from __future__ import annotations

import sys

from aiohttp import web

from tests.parts.stand_in.server import Server

if __name__ == "__main__":
    web.run_app(
        Server().app(), host="0.0.0.0", port=int(sys.argv[1]), access_log=None, shutdown_timeout=0.1
    )
