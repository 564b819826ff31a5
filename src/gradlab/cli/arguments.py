"""Flags of a command: parsed by argparse, refused with the nearest valid name, converted with a clear word."""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from gradlab.errors import UsageError, unknown

Convert = Callable[[str, str], Any]
"""(flag, text) -> value; raises UsageError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flag of a command.

    Args:
        name: with its dashes, such as "--seeds"; a name without dashes is a positional argument.
        help: one line.
        convert: turns each word into a value; None makes the flag a switch.
        many: takes one or more words.
        distinct: none of several words may be there twice.
        default: the value where the flag is absent.
        negatable: a switch that also has a `--no-` form.
        shown: how the value is called in the help.
    """

    name: str
    help: str
    convert: Convert | None = None
    many: bool = False
    distinct: bool = False
    default: Any = None
    negatable: bool = False
    shown: str | None = None

    @property
    def key(self) -> str:
        """The name of the parsed value."""
        return self.name.lstrip("-").replace("-", "_")


JSON = Flag(name="--json", help="print one JSON document instead of text")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        greedy = any(action.nargs == "+" and action.option_strings for action in self._actions)
        if greedy and "arguments are required" in message:  # such a flag has taken them for its own values
            message += ", before flags that take several values"
        raise UsageError(f"{message}; see `{self.prog} --help`")


def parse(
    command: str, description: str, flags: Sequence[Flag], words: Sequence[str], *, epilog: str = ""
) -> dict[str, Any]:
    """Returns the value of every flag; prints the help and ends the process where the words ask for it.

    Raises:
        UsageError: an unknown flag, a missing or an impossible value.
    """
    parser = _Parser(
        prog=f"gradlab {command}",
        description=description,
        epilog=epilog,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for flag in flags:
        _add(parser, flag)
    parsed, rest = parser.parse_known_args(list(words))
    _refuse_rest(command, flags, rest)
    values = vars(parsed)
    return {flag.key: _converted(flag, values[flag.key]) for flag in flags}


def whole_number(flag: str, text: str) -> int:
    """An integer, such as 12 or -3."""
    try:
        return int(text)
    except ValueError:
        apart = "; separate several by spaces" if "," in text else ""
        raise UsageError(f"{flag} takes a whole number: got '{text}'{apart}") from None


def positive_number(flag: str, text: str) -> int:
    """An integer of at least 1."""
    value = whole_number(flag, text)
    if value < 1:
        raise UsageError(f"{flag} must be at least 1: got {value}")
    return value


def number(flag: str, text: str) -> float:
    """A finite floating-point number, such as 0.01 or 1e-3."""
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{flag} takes a number: got '{text}'") from None
    if not math.isfinite(value):
        raise UsageError(f"{flag} takes a finite number: got '{text}'")
    return value


def duration(flag: str, text: str) -> float:
    """Seconds, at least 0."""
    value = number(flag, text)
    if value < 0:
        raise UsageError(f"{flag} takes seconds, at least 0: got {text}")
    return value


def gigabytes(flag: str, text: str) -> float:
    """Billions of bytes, at least 0."""
    value = number(flag, text)
    if value < 0:
        raise UsageError(f"{flag} takes gigabytes, at least 0: got {text}")
    return value


def word(_flag: str, text: str) -> str:
    """The text as it is."""
    return text


def one_of(names: Sequence[str]) -> Convert:
    """A converter that takes one of the given words."""

    def convert(flag: str, text: str) -> str:
        if text not in names:
            raise unknown(f"value of {flag}", text, names)
        return text

    return convert


FRAMING = Flag(
    name="--framing",
    help="how a folder's pictures become square [crop]",
    convert=one_of(("crop", "pad", "stretch")),
    default="crop",
    shown="{crop,pad,stretch}",
)


def _add(parser: argparse.ArgumentParser, flag: Flag) -> None:
    help_text = flag.help.replace("%", "%%")
    if not flag.name.startswith("-"):
        optional = flag.default is not None
        nargs: Any = ("*" if optional else "+") if flag.many else ("?" if optional else None)
        parser.add_argument(flag.key, metavar=flag.shown or flag.name.upper(), nargs=nargs, help=help_text)
    elif flag.convert is None:
        action: Any = argparse.BooleanOptionalAction if flag.negatable else "store_true"
        parser.add_argument(flag.name, dest=flag.key, action=action, default=None, help=help_text)
    else:
        nargs = "+" if flag.many else None
        parser.add_argument(flag.name, dest=flag.key, nargs=nargs, metavar=flag.shown or "VALUE", help=help_text)


def _converted(flag: Flag, value: Any) -> Any:
    if value is None:
        return flag.default
    if flag.convert is None:
        return value
    if isinstance(value, list):
        values = tuple(flag.convert(flag.name, text) for text in value)
        twice = next((text for text in values if flag.distinct and values.count(text) > 1), None)
        if twice is not None:
            raise UsageError(f"{flag.name} takes each value once: got '{twice}' {values.count(twice)} times")
        return values
    return flag.convert(flag.name, value)


def _refuse_rest(command: str, flags: Sequence[Flag], rest: list[str]) -> None:
    if not rest:
        return
    if rest[0].startswith("-"):
        names = [flag.name for flag in flags if flag.name.startswith("-")]
        names += [flag.name.replace("--", "--no-", 1) for flag in flags if flag.negatable]
        raise unknown("flag", rest[0].partition("=")[0], names, where=f"gradlab {command} --help")
    raise UsageError(f"`gradlab {command}` does not take '{rest[0]}'; see `gradlab {command} --help`")
