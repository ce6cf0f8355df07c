"""Starts the service: `python -m app`, with all options of uvicorn, such as --host and --port.

`uvicorn --factory app.main:create_app` serves the same, without the limits of app/http/protocol.py. No answer depends
on the client's address or scheme, so that what a proxy says of them is not read.
"""

import sys

from uvicorn.main import main

from app.http.descriptors import BACKLOG

OPTIONS = (
    "--factory",
    "app.main:create_app",
    "--http",
    "app.http.protocol:LimitedProtocol",
    "--ws",
    "none",
    "--no-proxy-headers",
)

if __name__ == "__main__":
    main([*OPTIONS, "--backlog", str(BACKLOG), *sys.argv[1:]], prog_name="python -m app")
