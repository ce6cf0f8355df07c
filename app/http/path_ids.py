"""Lets a path hold an id of any text: `/users/{user_id:any}/history`."""

from starlette.convertors import Convertor, register_url_convertor


class AnyText(Convertor[str]):
    """Matches any text, slashes and line breaks included; Starlette's `path` matches no line break."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """The id, decoded."""
        return value

    def to_string(self, value: str) -> str:
        """The id as part of a path."""
        return value


register_url_convertor("any", AnyText())
