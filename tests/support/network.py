"""Tests talk to this machine only."""

import ipaddress
import socket

import pytest

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


class OutsideWorldError(RuntimeError):
    """A test tried to reach another machine."""


def _refuse_outside(connecting: socket.socket, address: object) -> None:
    if not isinstance(address, tuple):
        return  # a socket in the file system
    host = str(address[0])
    if host in {"", "localhost"}:
        return
    try:
        outside = not ipaddress.ip_address(host).is_loopback
    except ValueError:
        outside = True
    if outside:
        connecting.close()
        raise OutsideWorldError(f"a test tried to connect to {host}; start a stand-in here instead")


@pytest.fixture(scope="session", autouse=True)
def loopback_only():
    """Refuse connections that leave the machine."""

    def connect(self, address):
        _refuse_outside(self, address)
        return _connect(self, address)

    def connect_ex(self, address):
        _refuse_outside(self, address)
        return _connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        yield
