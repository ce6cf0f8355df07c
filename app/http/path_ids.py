"""Lets a path hold an id of any text: `/users/{user_id:any}/history`."""

from starlette.convertors import PathConvertor, register_url_convertor


class AnyText(PathConvertor):
    """Matches any text, slashes and line breaks included; Starlette's `path` matches no line break."""

    regex = r"[\s\S]*"


register_url_convertor("any", AnyText())
