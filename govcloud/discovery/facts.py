"""Sockets, connections, routes, disks … as one line of text each: the form that statements hold."""

from __future__ import annotations

from govcloud.model.server import Connection, Disk, Filesystem, Interface, Package, Route, Socket


def render_socket(socket: Socket) -> str:
    """`tcp 0.0.0.0 5432 postgres`."""
    return " ".join((socket.protocol, socket.address, str(socket.port), socket.process or "-"))


def parse_socket(line: str) -> Socket:
    protocol, address, port, process = line.split(" ", 3)
    return Socket(
        protocol="udp" if protocol == "udp" else "tcp",
        address=address,
        port=int(port),
        process=None if process == "-" else process,
    )


def render_connection(connection: Connection) -> str:
    """`in 10.66.1.10 5432 10.66.1.77 53658 postgres`."""
    c = connection
    ends = (c.local_address, str(c.local_port), c.remote_address, str(c.remote_port))
    return " ".join(("in" if c.inbound else "out", *ends, c.process or "-"))


def parse_connection(line: str) -> Connection:
    direction, local, local_port, remote, remote_port, process = line.split(" ", 5)
    return Connection(
        local_address=local,
        local_port=int(local_port),
        remote_address=remote,
        remote_port=int(remote_port),
        process=None if process == "-" else process,
        inbound=direction == "in",
    )


def render_route(route: Route) -> str:
    """`172.30.0.0/16 172.30.5.1 eth1`."""
    return " ".join((route.destination, route.gateway or "-", route.interface or "-"))


def parse_route(line: str) -> Route:
    destination, gateway, interface = line.split(" ", 2)
    return Route(
        destination=destination,
        gateway=None if gateway == "-" else gateway,
        interface=None if interface == "-" else interface,
    )


def _field(text: str | None) -> str:
    """One word of a line: blanks are written as the kernel writes them in /proc/mounts, an empty word as `-`."""
    return "\\040".join(text.split()) if text and text.strip() else "-"


def _text(word: str) -> str | None:
    return None if word == "-" else word.replace("\\040", " ")


def _gib(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _number(word: str) -> float | None:
    return None if word == "-" else float(word)


def render_disk(disk: Disk) -> str:
    """`sda 500`: GiB."""
    return f"{_field(disk.name)} {disk.size_gib:g}"


def parse_disk(line: str) -> Disk:
    name, size = line.split(" ")
    return Disk(name=_text(name) or "", size_gib=float(size))


def render_filesystem(filesystem: Filesystem) -> str:
    """`/srv /dev/sdb1 xfs 500 120.5`: size and use in GiB."""
    f = filesystem
    return " ".join((_field(f.mount), _field(f.device), _field(f.kind), _gib(f.size_gib), _gib(f.used_gib)))


def parse_filesystem(line: str) -> Filesystem:
    mount, device, kind, size, used = line.split(" ")
    return Filesystem(
        mount=_text(mount) or "",
        device=_text(device) or "",
        kind=_text(kind),
        size_gib=_number(size),
        used_gib=_number(used),
    )


def render_interface(interface: Interface) -> str:
    """`eth0 52:54:00:12:34:56 ethernet 10.66.1.10/24,fd00::5/64`."""
    i = interface
    return " ".join((_field(i.name), _field(i.mac), _field(i.kind), ",".join(i.addresses) or "-"))


def parse_interface(line: str) -> Interface:
    name, mac, kind, addresses = line.split(" ")
    return Interface(
        name=_text(name) or "", mac=_text(mac), kind=_text(kind),
        addresses=() if addresses == "-" else tuple(addresses.split(",")),
    )  # fmt: skip


def render_package(package: Package) -> str:
    """`postgresql 15.3-1`."""
    return f"{_field(package.name)} {_field(package.version)}"


def parse_package(line: str) -> Package:
    name, version = line.split(" ")
    return Package(name=_text(name) or "", version=_text(version))
