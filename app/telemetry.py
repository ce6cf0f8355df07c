"""What the service says about itself while it runs."""

import logging

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure_logging(level: str) -> None:
    """Short plain lines on standard error: ours from `level` on, those of libraries from WARNING on."""
    logging.basicConfig(level=logging.WARNING, format=LINE)
    logging.getLogger("app").setLevel(level)
