"""For every test: no network. Only this machine itself can be reached."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest


class NoNetworkError(AssertionError):
    """A test wanted to reach another machine."""


def is_here(address: Any) -> bool:
    """Whether a socket's address is on this machine: a loopback address, or a file's."""
    if not isinstance(address, tuple):
        return True
    host = address[0].decode() if isinstance(address[0], bytes) else address[0]
    if host in ("localhost", "", None):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refusing(call: Callable[..., Any], position: int) -> Callable[..., Any]:
    """The call, but for other machines; its address is the argument at a position."""

    def guarded(*arguments: Any, **options: Any) -> Any:
        address = arguments[position] if position else (arguments[0], 0)
        if not is_here(address):
            raise NoNetworkError(f"a test wants to reach {address}")
        return call(*arguments, **options)

    return guarded


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuses connections to other machines, and looking up their names."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, refusing(getattr(socket.socket, name), 1))
        patch.setattr(socket, "getaddrinfo", refusing(socket.getaddrinfo, 0))
        yield
