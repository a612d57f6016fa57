"""What hosts show of networks: the dedicated network that nobody listed has to be found, a tenant network has not."""

from __future__ import annotations

from govcloud.discovery.links import build_membership, build_network_evidence
from govcloud.model.inventory import Network
from govcloud.model.network_evidence import NetworkEvidence
from govcloud.model.server import Interface, Route, Server, Socket

EXTRANET = Network(network_id="N-ext", name="政务外网", kind="extranet", prefixes=("10.66.0.0/16",))
CIVIL = Network(network_id="N-civil", name="示例民政专网", kind="dedicated", prefixes=("172.30.5.0/24",))
HOME = (
    Route(destination="0.0.0.0/0", gateway="10.66.1.1", interface="eth0"),
    Route(destination="10.66.1.0/24", interface="eth0"),
)
ETH0 = Interface(name="eth0", kind="ethernet", addresses=("10.66.1.10/24",))


def host(*interfaces: Interface, routes: tuple[Route, ...] = (), server_id: str = "V-1", **more: object) -> Server:
    addresses = tuple(a.partition("/")[0] for i in (ETH0, *interfaces) if i.kind != "container" for a in i.addresses)
    return Server(
        server_id=server_id, name=server_id, addresses=addresses, interfaces=(ETH0, *interfaces), routes=(*HOME, *routes), **more  # type: ignore[arg-type]
    )  # fmt: skip


def undeclared(
    *servers: Server, networks: tuple[Network, ...] = (EXTRANET, CIVIL)
) -> list[tuple[str, str | None, str | None]]:
    return [(e.what, e.prefix, e.interface) for e in build_network_evidence(networks, servers) if e.undeclared]


def test_a_server_on_declared_networks_only_shows_nothing_undeclared() -> None:
    leg = Interface(name="eth1", kind="ethernet", addresses=("172.30.5.9/24",))
    assert undeclared(host(leg)) == []
    traces = build_network_evidence([EXTRANET, CIVIL], [host(leg)])
    assert [(e.what, e.network_id) for e in traces] == [("interface", "N-civil"), ("default_gateway", "N-ext")]


def test_a_second_leg_a_tunnel_and_a_route_beyond_are_found() -> None:
    leg = Interface(name="bond1.7", kind="vlan", addresses=("192.168.77.4/24",))
    vpn = Interface(name="tun0", kind="tunnel", addresses=("10.8.0.2/32",))
    routes = (
        Route(destination="172.31.0.0/16", gateway="192.168.77.1", interface="bond1.7"),
        Route(destination="172.20.0.0/16", interface="tun0"),
        Route(destination="172.30.0.0/16", gateway="10.66.1.3", interface="eth0"),
        Route(destination="8.8.8.0/24", gateway="10.66.1.3", interface="eth0"),
    )
    assert undeclared(host(leg, vpn, routes=routes)) == [
        ("tunnel", "10.8.0.2/32", "tun0"), ("interface", "192.168.77.0/24", "bond1.7"), ("route", "172.20.0.0/16", "tun0"),
        ("route", "172.30.0.0/16", "eth0"), ("route", "172.31.0.0/16", "bond1.7"),
    ]  # fmt: skip
    (wider,) = [
        e for e in build_network_evidence([EXTRANET, CIVIL], [host(routes=routes)]) if e.prefix == "172.30.0.0/16"
    ]
    assert (wider.via_network_id, wider.gateway) == ("N-ext", "10.66.1.3")


def test_tunnels_without_an_address_and_ipsec_without_an_interface_are_told() -> None:
    ppp = Interface(name="ppp0", kind="tunnel")
    idle = Interface(name="sit0", kind="tunnel")
    keeper = Socket(address="::", port=4500, process="charon", protocol="udp")
    assert undeclared(host(ppp, idle, sockets=(keeper,))) == [("tunnel", None, "charon"), ("tunnel", None, "ppp0")]


def test_containers_bridges_of_theirs_and_link_local_are_nobodys_network() -> None:
    docker = Interface(name="docker0", kind="container", addresses=("172.17.0.1/16",))
    routes = (
        Route(destination="172.17.0.0/16", interface="docker0"), Route(destination="169.254.0.0/16", interface="eth0"),
        Route(destination="10.244.3.0/24", gateway="10.244.3.0", interface="flannel.1"),
    )  # fmt: skip
    flannel = Interface(name="flannel.1", kind="container", addresses=("10.244.0.0/32",))
    assert undeclared(host(docker, flannel, routes=routes)) == []


def test_a_main_network_that_was_not_declared_is_told_as_a_gateway_only() -> None:
    """The office's own network without a prefix in the survey is a gap, not a dedicated network."""
    assert undeclared(host(), networks=(CIVIL,)) == [("default_gateway", "10.66.1.0/24", "eth0")]


def test_old_facts_without_interfaces_still_show_their_legs() -> None:
    server = Server(
        server_id="V-1", name="a", addresses=("10.66.1.10", "10.99.0.7"),
        routes=(*HOME, Route(destination="10.99.0.0/24", interface="eth1"), Route(destination="172.17.0.0/16", interface="docker0")),
    )  # fmt: skip
    assert undeclared(server) == [("interface", "10.99.0.0/24", "eth1")]


class TestCloud:
    """Tenants use the prefixes that departments use, too."""

    VPC = Network(network_id="N-vpc", name="cloud/web", kind="cloud", prefixes=("172.30.5.0/24",), servers=("V-c",))

    def test_a_tenant_network_is_never_taken_for_a_dedicated_one(self) -> None:
        inside = Server(
            server_id="V-c", name="c", addresses=("172.30.5.4",), cloud="示例云",
            interfaces=(Interface(name="eth0", kind="ethernet", addresses=("172.30.5.4/24",)),),
            routes=(Route(destination="0.0.0.0/0", gateway="172.30.5.1", interface="eth0"),),
        )  # fmt: skip
        for networks in ([CIVIL, self.VPC], [self.VPC]):
            (trace,) = build_network_evidence(networks, [inside])
            assert (trace.in_cloud, trace.undeclared, trace.network_id) == (True, False, None)
        members = {n.network_id: n.servers for n in build_membership([CIVIL, self.VPC], [inside])}
        assert members == {"N-civil": (), "N-vpc": ("V-c",)}

    def test_a_host_outside_is_no_member_of_it_and_its_leg_is_still_told(self) -> None:
        leg = Interface(name="eth1", kind="ethernet", addresses=("172.30.5.9/24",))
        outside = host(leg)
        assert undeclared(outside, networks=(EXTRANET, self.VPC)) == [("interface", "172.30.5.0/24", "eth1")]
        members = {n.network_id: n.servers for n in build_membership([EXTRANET, self.VPC], [outside])}
        assert members == {"N-ext": ("V-1",), "N-vpc": ("V-c",)}

    def test_a_cloud_server_with_a_leg_outside_is_a_member_there(self) -> None:
        server = Server(server_id="V-c", name="c", addresses=("10.66.3.3", "172.30.5.4"))
        members = {n.network_id: n.servers for n in build_membership([EXTRANET, self.VPC], [server])}
        assert members["N-ext"] == ("V-c",)


def test_evidence_is_sorted_and_the_same_whatever_the_order_of_servers() -> None:
    servers = [
        host(Interface(name="eth1", kind="ethernet", addresses=(f"192.168.{n}.4/24",)), server_id=f"V-{n}")
        for n in range(5)
    ]
    forward: tuple[NetworkEvidence, ...] = build_network_evidence([EXTRANET], servers)
    assert forward == build_network_evidence([EXTRANET], servers[::-1])
    assert [e.server_id for e in forward] == sorted(e.server_id for e in forward)
