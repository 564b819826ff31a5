"""Damage to bytes and to JSON: what rotten disks do, and what somebody with bad intentions tries."""

import random
import string
from collections.abc import Callable
from typing import Any

NUMBERS = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0", b"\xff\xff\xff\xff\xff\xff\xff\x7f")
VALUES = (
    None,
    True,
    -1,
    0,
    2**63,
    10**30,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "../../x",
    "\0",
    "é" * 50,
    [],
    {},
    [[]],
)


def flipped(content: bytes, chance: random.Random) -> bytes:
    """One bit is another."""
    changed = bytearray(content)
    changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(content: bytes, chance: random.Random) -> bytes:
    """The end is missing."""
    return content[: chance.randrange(len(content))]


def swapped(content: bytes, chance: random.Random) -> bytes:
    """Two equally long blocks have changed places."""
    length = chance.randint(1, max(1, len(content) // 4))
    first, second = sorted(chance.randrange(len(content) - length + 1) for _ in range(2))
    second = max(second, first + length)
    if second + length > len(content):
        return content
    between = content[first + length : second]
    block, other = content[first : first + length], content[second : second + length]
    return content[:first] + other + between + block + content[second + length :]


def zeroed(content: bytes, chance: random.Random) -> bytes:
    """A block is all zeros, as after a file system lost it."""
    start = chance.randrange(len(content))
    end = min(len(content), start + chance.choice((1, 16, 512)))
    return content[:start] + bytes(end - start) + content[end:]


def forged(content: bytes, chance: random.Random) -> bytes:
    """A number is an extreme one, most often near the start, where headers are."""
    start = chance.randrange(min(len(content), chance.choice((16, 64, len(content)))))
    number = chance.choice(NUMBERS)
    return content[:start] + (number if chance.random() < 0.5 else number[::-1]) + content[start + len(number) :]


def grown(content: bytes, chance: random.Random) -> bytes:
    """A piece is there twice, or something foreign has come in."""
    start = chance.randrange(len(content))
    piece = content[start : start + chance.randint(1, 200)] if chance.random() < 0.5 else chance.randbytes(20)
    return content[:start] + piece * chance.choice((1, 1, 50)) + content[start:]


ROT: tuple[Callable[[bytes, random.Random], bytes], ...] = (flipped, cut, swapped, zeroed)
"""What happens to files by itself."""
HOSTILE = (*ROT, forged, forged, grown)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content after one to four changes."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        if content:
            content = chance.choice(HOSTILE)(content, chance)
    return content


def other_json(document: Any, chance: random.Random) -> Any:
    """A JSON document with something inside replaced, removed, renamed, doubled or nested."""
    if isinstance(document, dict) and document and chance.random() < 0.9:
        name = chance.choice(list(document))
        kind = chance.random()
        if kind < 0.15:
            return {key: value for key, value in document.items() if key != name}
        if kind < 0.25:
            return {
                (chance.choice(string.ascii_letters) + key if key == name else key): v for key, v in document.items()
            }
        return {**document, name: other_json(document[name], chance)}
    if isinstance(document, list) and document and chance.random() < 0.7:
        place = chance.randrange(len(document))
        return [*document[:place], other_json(document[place], chance), *document[place + chance.randrange(2) :]]
    return chance.choice((*VALUES, [document], str(document), [document] * 3))
