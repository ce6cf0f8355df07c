"""The language of filters: the grammar of Google's AIP-160 (https://google.aip.dev/160), without functions.

`language = "fr" AND (price <= 4.99 OR free) AND NOT genres:Horror`. OR binds tighter than AND, as it does there.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken

MAX_LENGTH = 1000
MAX_TERMS = 50
MAX_DEPTH = 10
MAX_QUOTED = 40
ANY = "*"

GRAMMAR = r"""
?start: expression
?expression: sequence ("AND" sequence)*     -> all_of
?sequence: factor+                          -> all_of
?factor: term ("OR" term)*                  -> any_of
?term: simple
     | ("NOT" | "-") simple                 -> negated
?simple: restriction | "(" expression ")"
restriction: NAME [OPERATOR (VALUE | STRING)]
NAME: /(?!(AND|OR|NOT)\b)[A-Za-z_][A-Za-z0-9_]*/
OPERATOR: "<=" | ">=" | "!=" | "<" | ">" | "=" | ":"
VALUE: /[^\s()"'<>=!]+/
STRING: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/
%ignore /\s+/
"""


class FilterError(Exception):
    """A filter that makes no sense; the message quotes the word and its position, counted from 1."""

    def __init__(self, message: str, parameter: str = "filter") -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True)
class Comparison:
    """A column compared with a value; `place` is where it stands in the text, from 1. Without an operator: a flag."""

    column: str
    operator: str | None = None
    value: str = ""
    place: int = 1
    terms: int = 1
    depth: int = 0


@dataclass(frozen=True)
class Combination:
    """Expressions of which all hold, any holds, or the only one does not."""

    how: Literal["all", "any", "not"]
    parts: "tuple[Expression, ...]"
    terms: int
    depth: int


Expression = Comparison | Combination


def parse(text: str) -> Expression:
    """Parse a filter; raise FilterError if it isn't in the language or is too long."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"A filter has at most {MAX_LENGTH} characters, not {len(text)}")
    try:
        expression: Expression = _PARSER.parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        raise FilterError(_unexpected(text, error)) from error
    if expression.terms > MAX_TERMS:
        raise FilterError(f"A filter has at most {MAX_TERMS} comparisons, not {expression.terms}")
    if expression.depth > MAX_DEPTH:
        raise FilterError(f"A filter has at most {MAX_DEPTH} levels inside one another, not {expression.depth}")
    return expression


def combined(how: Literal["all", "any", "not"], parts: list[Expression]) -> Expression:
    """One expression of several."""
    if len(parts) == 1 and how != "not":
        return parts[0]
    return Combination(how, tuple(parts), sum(part.terms for part in parts), 1 + max(part.depth for part in parts))


class _Reader(Transformer[Token, Expression]):
    """Makes expressions while the parser reads, which needs no tree."""

    all_of = staticmethod(partial(combined, "all"))
    any_of = staticmethod(partial(combined, "any"))
    negated = staticmethod(partial(combined, "not"))

    @staticmethod
    def restriction(tokens: list[Token | None]) -> Expression:
        name, operator, value = tokens
        assert name is not None  # noqa: S101 - the grammar says so
        place = (name.start_pos or 0) + 1
        if operator is None or value is None:
            return Comparison(str(name), place=place)
        return Comparison(str(name), str(operator), _unquoted(value), place)


def _unquoted(value: Token) -> str:
    if value.type != "STRING":
        return str(value)
    first, *rest = value[1:-1].split("\\\\")
    return "\\".join(part.replace("\\", "") for part in (first, *rest))


def _unexpected(text: str, error: UnexpectedInput) -> str:
    place = error.pos_in_stream or 0
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return f"{text[-20:]!r} ends too early: it lacks {_expected(error.accepts or error.expected)}"
    word = str(error.token) if isinstance(error, UnexpectedToken) else text[place:].split(maxsplit=1)[0]
    return f"{word[:MAX_QUOTED]!r} at character {place + 1} is not expected there"


def _expected(terminals: set[str]) -> str:
    words = {"NAME": "a column", "RPAR": "a closing parenthesis", "VALUE": "a value"}
    return next((words[name] for name in words if name in terminals), "something")


_PARSER = Lark(GRAMMAR, parser="lalr", transformer=_Reader())
