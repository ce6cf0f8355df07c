"""Starts the service: `python -m app`, with all options of uvicorn, such as --host and --port.

Other servers can run `app.main:create_app`, too, but without what app/http/protocol.py mends. No answer depends on the
client's address or scheme, so what a proxy says of them is not read.
"""

import gc
import sys

from uvicorn.main import main

from app.contract.version import VERSION
from app.http.descriptors import BACKLOG
from app.http.known_uvicorn import PROTOCOL

OPTIONS = ("--factory", "app.main:create_app", "--http", PROTOCOL, "--ws", "none", "--no-proxy-headers")

# What imports make stays, so that to look for garbage among it is in vain; `create_app` switches that on again.
# A worker runs this file, too, under another name.
gc.disable()

if __name__ == "__main__":
    if sys.argv[1:] == ["--version"]:  # uvicorn would tell its own
        sys.stdout.write(f"movie-recommender {VERSION}\n")
        sys.exit()
    for argument in main.params:
        if argument.name == "app":
            argument.metavar = ""  # given below, so that --help asks for none
    main.help = "Serve recommendations. The environment has the settings: docs/api.md. The options are uvicorn's."
    main([*OPTIONS, "--backlog", str(BACKLOG), *sys.argv[1:]], prog_name="python -m app")
