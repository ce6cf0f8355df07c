"""Ids in paths."""

from starlette.convertors import Convertor, register_url_convertor


class AnyText(Convertor[str]):
    """Like Starlette's `path`, an encoded slash included, but also matches a line break."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """The id as the client meant it."""
        return value

    def to_string(self, value: str) -> str:
        """The id as part of a path."""
        return value


register_url_convertor("any", AnyText())
