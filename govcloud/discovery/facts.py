"""Sockets, connections and routes as one line of text each: the form that observations can hold."""

from __future__ import annotations

from govcloud.model.inventory import Connection, Route, Socket


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
