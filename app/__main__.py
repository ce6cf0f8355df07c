"""Starts the service: `python -m app`, with all options of uvicorn, such as --host and --port.

`uvicorn --factory app.main:create_app` serves the same, without the limits of app/http/protocol.py.
"""

import sys

from uvicorn.main import main

OPTIONS = ("--factory", "app.main:create_app", "--http", "app.http.protocol:LimitedProtocol", "--ws", "none")
# Asyncio accepts so many connections at once, before it looks at any of them.
BACKLOG = ("--backlog", "256")

if __name__ == "__main__":
    main([*OPTIONS, *BACKLOG, *sys.argv[1:]], prog_name="python -m app")
