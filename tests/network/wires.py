"""Hosts on one machine, each with a network of its own, and the wires between them.

A host is a network namespace with one TUN device. A process carries what the devices send to whom it is addressed: late,
at a rate, or not at all. `tc netem` does the same, but many kernels are built without it, and few machines are without
TUN (Linux, Documentation/networking/tuntap.rst).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import multiprocessing
import os
import select
import socket
import struct
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

HOSTS = {"client": "10.0.0.1", "sidecar": "10.0.0.2", "model": "10.0.0.3", "store": "10.0.0.4"}
NAMES = {socket.inet_aton(address): name for name, address in HOSTS.items()}
TUN = Path("/dev/net/tun")
# linux/if_tun.h, linux/sched.h
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
QUEUE = 0.5
"""Seconds of traffic that wait before a slow wire; what comes on top is lost, as at a router."""
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Wire:
    """What lies between a host and all others: seconds of delay and share of packets lost, each
    way; bytes a second, 0 for any number; whether anything passes."""

    delay: float = 0.0
    loss: float = 0.0
    rate: float = 0.0
    passes: bool = True


CLEAN = Wire()


class Network:
    """The hosts, and a process that carries their packets until `close`."""

    def __init__(self) -> None:
        devices = {name: _host(name, address) for name, address in HOSTS.items()}
        self._orders, orders = multiprocessing.Pipe()
        fork = multiprocessing.get_context("fork")
        self._carrier = fork.Process(target=_carry, args=(devices, orders), daemon=True)
        self._carrier.start()
        for device in devices.values():
            os.close(device)

    def wire(self, host: str, wire: Wire) -> None:
        """Change the wire of a host; what is under way arrives as it would have."""
        self._orders.send((host, wire))
        self._orders.recv()

    @contextlib.contextmanager
    def wired(self, **wires: Wire) -> Generator[None]:
        """These wires for a while; clean ones afterwards."""
        for host, wire in wires.items():
            self.wire(host, wire)
        try:
            yield
        finally:
            for host in wires:
                self.wire(host, CLEAN)

    @contextlib.contextmanager
    def unplugged(self, host: str) -> Generator[None]:
        """The device itself down, and so without a route; up again afterwards."""
        _ip("-n", host, "link", "set", "net0", "down")
        try:
            yield
        finally:
            _ip("-n", host, "link", "set", "net0", "up")

    def close(self) -> None:
        """End the carrier."""
        self._carrier.kill()
        self._carrier.join()


@contextlib.contextmanager
def inside(host: str) -> Generator[None]:
    """This thread on a host: sockets opened and processes started here belong to it for good."""
    with Path("/proc/thread-self/ns/net").open() as home, Path("/run/netns", host).open() as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _host(name: str, address: str) -> int:
    """Make a namespace with a device; returns what the packets of the device are read from."""
    _ip("netns", "add", name)
    device = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    _ip("link", "set", name, "netns", name, "name", "net0")
    _ip("-n", name, "link", "set", "lo", "up")
    _ip("-n", name, "address", "add", f"{address}/24", "dev", "net0")
    _ip("-n", name, "link", "set", "net0", "up")
    return device


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def _carry(devices: dict[str, int], orders: Connection) -> None:
    """Carry packets, and take orders, until killed."""
    random = Random(17)
    names = {device: name for name, device in devices.items()}
    wires = dict.fromkeys(devices, CLEAN)
    free: dict[tuple[str, str], float] = {}
    due: list[tuple[float, int, int, bytes]] = []
    count = 0

    def passed(name: str, way: str, size: int, at: float) -> float | None:
        """When a packet is through a wire, if it gets through."""
        wire = wires[name]
        if not wire.passes or random.random() < wire.loss:
            return None
        if wire.rate:
            begun = max(at, free.get((name, way), 0.0))
            if begun - at > QUEUE:
                return None
            at = free[name, way] = begun + size / wire.rate
        return at + wire.delay

    while True:
        now = time.monotonic()
        while due and due[0][0] <= now:
            _, _, device, packet = heapq.heappop(due)
            with contextlib.suppress(OSError):  # one that is down takes none
                os.write(device, packet)
        wait = max(0.0, due[0][0] - time.monotonic()) if due else None
        ready, _, _ = select.select([orders, *names], [], [], wait)
        for one in ready:
            if one is orders:
                host, wire = orders.recv()
                wires[host] = wire
                orders.send(None)
                continue
            try:
                packet = os.read(one, 65536)
            except OSError:
                continue
            target = NAMES.get(packet[16:20]) if packet[0] >> 4 == 4 else None
            if target is None:
                continue
            at = passed(names[one], "out", len(packet), time.monotonic())
            at = at and passed(target, "in", len(packet), at)
            if at:
                count += 1
                heapq.heappush(due, (at, count, devices[target], packet))
