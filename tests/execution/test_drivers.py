"""Machines made in a cloud: nothing twice, nothing that nobody knows of, nothing of others touched.

Against a real moto server (EC2 by HTTP), with a proxy before it where a fault is wanted. What a user would miss: a second
paid machine after a crash, a machine that no list names after the quota ran out, somebody else's machine deleted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import msgspec
import pytest
from cloud_play import Phase, play_provision
from cloud_proxy import CHANGES, Fate, Proxy, moto_server, proxy_before
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.errors import InputError
from govcloud.execution.drivers import MARK, CloudError, credential_files, host_key, reach
from govcloud.execution.drivers.existing import load_answer
from govcloud.execution.drivers.making import Maker
from govcloud.execution.drivers.offer import Flavor, Size, choose_flavor, parse_offering, verify_provision
from govcloud.execution.drivers.record import FILE, Record, read_resources
from govcloud.model.catalog import Offering
from govcloud.model.migration import ImageSpec, MachineSpec, MigrationSpec, ProvisionSpec, VerifySpec
from govcloud.model.resource import Resource
from govcloud.model.text import Text

AT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)
RUN = "20260307-1"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


@cache
def account(url: str) -> Any:
    """A look past every proxy."""
    session = boto3.session.Session("shili", "shili", region_name="cn-north-1")
    return session.client("ec2", endpoint_url=url)


@cache
def image(url: str, arch: str) -> str:
    found = account(url).describe_images(Filters=[{"Name": "architecture", "Values": [arch]}])["Images"]
    return str(found[0]["ImageId"])


def subnet(url: str) -> str:
    return str(account(url).describe_subnets()["Subnets"][0]["SubnetId"])


class Office:
    """A workspace folder with a key, and an account at the cloud behind `url`."""

    def __init__(self, folder: Path, url: str, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.url = folder, url
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
        profile = f"[profile shili]\nregion = cn-north-1\nendpoint_url = {url}\naws_access_key_id = shili\naws_secret_access_key = shili\n"
        (folder / "aws").write_text(profile)
        patch.setenv("AWS_CONFIG_FILE", str(folder / "aws"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))
        self.attempts = 0
        self.ec2 = account(url)

    def spec(self, machines: int = 1, **changes: Any) -> MigrationSpec:
        names = ("web", "db")[:machines]
        given = {
            "driver": "ec2",
            "cloud": "shili",
            "offering": "M-ECS-G2:4C8G",
            "image": image(self.url, "x86_64"),
            "network": subnet(self.url),
            "key_file": "key",
        }
        provision = ProvisionSpec(**(given | changes))
        made = tuple(
            MachineSpec(name=name, source=f"old-{name}", target=f"new-{name}", provision=provision) for name in names
        )
        return MigrationSpec(
            system_id="shili-oa", machines=made, verify=VerifySpec(url="http://oa.example/", checks=())
        )

    def maker(self, spec: MigrationSpec, known: tuple[Resource, ...] = (), limit_s: float = 20) -> Maker:
        """A new attempt: its own evidence folder; `known` is what the database has of earlier ones."""
        self.attempts += 1
        folder = self.folder / f"attempt-{self.attempts}"
        folder.mkdir()
        return Maker(spec, RUN, folder, known, base=self.folder, limit_s=limit_s)

    def machines(self) -> dict[str, str]:
        """Id -> mark of every living machine, ours and others'."""
        pages = self.ec2.describe_instances()["Reservations"]
        return {
            i["InstanceId"]: next((t["Value"] for t in i.get("Tags", ()) if t["Key"] == MARK), "")
            for r in pages for i in r["Instances"] if i["State"]["Name"] != "terminated"
        }  # fmt: skip

    def pairs(self) -> set[str]:
        return {p["KeyPairId"] for p in self.ec2.describe_key_pairs()["KeyPairs"]}


@pytest.fixture
def office(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    here = Office(tmp_path, moto, monkeypatch)
    yield here
    urlopen(Request(f"{moto}/moto-api/reset", method="POST"), timeout=30).close()  # noqa: S310 - our own server


@pytest.fixture
def faulty(office: Office) -> Iterator[Proxy]:
    """The same office, but its profile leads through a proxy; `office.ec2` looks past it."""
    with proxy_before(office.url) as proxy:
        config = office.folder / "aws"
        config.write_text(config.read_text().replace(office.url, proxy.url))
        yield proxy


def lines(maker: Maker) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (maker.folder / FILE).read_text().splitlines()]


def ids(resources: tuple[Resource, ...]) -> set[str | None]:
    return {r.external_id for r in resources}


def test_machines_are_made_once_with_all_that_was_asked_for(office: Office) -> None:
    spec = office.spec(machines=2)
    maker = office.maker(spec)
    assert maker.create()
    server = next(r for r in maker.record.present if r.kind == "server" and r.machine == "web")
    (found,) = office.ec2.describe_instances(InstanceIds=[server.external_id])["Reservations"][0]["Instances"]
    assert found["PrivateIpAddress"] == server.address and found["SubnetId"] == spec.machines[0].provision.network  # type: ignore[union-attr]
    kind = office.ec2.describe_instance_types(InstanceTypes=[found["InstanceType"]])["InstanceTypes"][0]
    assert kind["VCpuInfo"]["DefaultVCpus"] == 4 and kind["MemoryInfo"]["SizeInMiB"] == 8192
    assert maker.facts["flavor.web"] == found["InstanceType"] and maker.facts["size.web"] == "4C8G"
    assert maker.facts["address.web"] == server.address and maker.facts["resources"] == 4
    access = reach(spec.machines[0], maker.record.present)
    assert access is not None and (access.name, access.address, access.key_file) == ("new-web", server.address, "key")

    again = office.maker(spec, maker.record.present)
    assert not again.create() and len(office.machines()) == 2
    assert ids(again.record.present) == ids(maker.record.present)


def test_a_machine_is_behind_the_security_groups_that_were_asked_for(office: Office) -> None:
    """By name or id, of the VPC of its subnet: a group of the same name in another VPC is not the department's."""
    subnets = office.ec2.describe_subnets(SubnetIds=[subnet(office.url)])["Subnets"]
    other = office.ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    make = office.ec2.create_security_group
    make(GroupName="示例档案", Description="x", VpcId=other)
    named, by_id = (
        make(GroupName=n, Description="x", VpcId=subnets[0]["VpcId"])["GroupId"] for n in ("示例档案", "运维")
    )
    office.maker(office.spec(security_groups=("示例档案", by_id))).create()
    ((found,),) = (r["Instances"] for r in office.ec2.describe_instances()["Reservations"])
    assert {g["GroupId"] for g in found["SecurityGroups"]} == {named, by_id}


def test_every_id_is_preceded_by_its_intent(office: Office) -> None:
    """A crash between the two leaves a name to look for."""
    maker = office.maker(office.spec(machines=2))
    maker.create()
    seen: set[str] = set()
    for line in lines(maker):
        if line["external_id"] is None:
            seen.add(line["resource_id"])
        else:
            assert line["resource_id"] in seen
    assert len(seen) == 4


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_quota_that_ends_at_any_call_leaves_a_complete_list_and_a_clean_way_out(
    office: Office, faulty: Proxy, number: int
) -> None:
    spec = office.spec(machines=2)
    twin = office.maker(spec)  # somebody else's machine with the very name of ours
    name = twin.want(spec.machines[1], "server").name
    foreign = office.ec2.run_instances(
        ImageId=image(office.url, "x86_64"), MinCount=1, MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}],
    )["Instances"][0]["InstanceId"]  # fmt: skip
    faulty.fate = lambda action, n: "refuse" if n >= number else "pass"
    maker = office.maker(spec)
    with pytest.raises(CloudError) as refused:
        maker.create()
    assert refused.value.facts == {"wait": "quota", "quota": "instances"}
    assert "配额不足" in refused.value.message("zh") and "Quota exhausted" in refused.value.message("en")
    assert len(faulty.changes) == number, "a refusal is not asked again"
    told = read_resources(maker.folder / FILE)
    made = {i for i in office.machines() if i != foreign} | office.pairs()
    assert {r.external_id for r in told if r.external_id} == made and len(made) == number - 1
    assert len(maker.listing()) == number, "what was asked for and refused is in the list, too"

    cleaner = office.maker(spec, maker.record.present)
    assert cleaner.delete() == (number > 1)
    assert set(office.machines()) == {foreign} and not office.pairs()
    assert cleaner.record.present == ()
    assert not office.maker(spec, (*told, *read_resources(cleaner.folder / FILE))).delete(), "nothing is left to delete"
    faulty.fate = lambda action, n: "pass"
    after = office.maker(spec, read_resources(cleaner.folder / FILE))
    assert after.create() and len(office.machines()) == 3


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_crash_between_call_and_id_makes_nothing_twice(office: Office, faulty: Proxy, number: int) -> None:
    """The process is killed when the cloud has carried out the call and nobody has read the answer."""
    spec = office.spec(machines=2)
    folder = office.folder / "killed"
    folder.mkdir()
    for name in ("key", "key.pub"):
        os.link(office.folder / name, folder / name)
    (folder / "spec.json").write_bytes(msgspec.json.encode(spec))
    faulty.fate = lambda action, n: "hold" if n == number else "pass"
    program = [sys.executable, str(Path(__file__).with_name("make_machines.py")), str(folder / "spec.json")]
    with subprocess.Popen(program, stderr=subprocess.DEVNULL) as child:
        assert faulty.held.wait(30)
        child.kill()
    left = read_resources(folder / FILE)
    assert left[-1].external_id is None, "the intent is the last that is known"
    faulty.fate = lambda action, n: "pass"
    # With what the dead attempt wrote, and (another machine took over) without it.
    for known in (left, ()):
        maker = office.maker(spec, known)
        maker.create()
        assert len(office.machines()) == 2 and len(office.pairs()) == 2
        assert ids(maker.record.present) == set(office.machines()) | office.pairs()
    assert len(faulty.changes) == 4


def test_what_only_a_dead_attempt_asked_for_is_found_and_cleaned_up(office: Office, faulty: Proxy) -> None:
    spec = office.spec()
    faulty.fate = lambda action, n: "cut" if action == "RunInstances" else "pass"
    dead = office.maker(spec, limit_s=0)
    with pytest.raises(CloudError) as lost:
        dead.create()
    assert lost.value.maybe and len(office.machines()) == 1
    assert [r.external_id for r in dead.record.present if r.kind == "server"] == [None]
    cleaner = office.maker(spec)  # it knows nothing of the dead attempt
    assert cleaner.delete() and not office.machines() and not office.pairs()


@pytest.mark.parametrize("fate", ["busy", "cut"])
def test_a_busy_cloud_is_asked_again_and_a_lost_answer_looked_for(office: Office, faulty: Proxy, fate: Fate) -> None:
    faulty.fate = lambda action, n: fate if n == 2 else "pass"
    maker = office.maker(office.spec())
    maker.create()
    assert len(office.machines()) == 1 and len(office.pairs()) == 1
    assert ids(maker.record.present) == set(office.machines()) | office.pairs()


def test_a_cloud_that_stays_busy_is_given_up_in_time(office: Office, faulty: Proxy) -> None:
    faulty.fate = lambda action, n: "busy"
    with pytest.raises(CloudError) as error:
        office.maker(office.spec(), limit_s=2).create()
    assert error.value.again and not office.machines()


def test_a_machine_of_another_workspace_with_the_same_run_number_is_not_ours(office: Office) -> None:
    """Run numbers repeat from workspace to workspace; the key that opens the machine does not."""
    spec = office.spec()
    office.maker(spec).create()
    theirs = set(office.machines()) | office.pairs()
    for name in ("key", "key.pub"):
        (office.folder / name).unlink()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(office.folder / "key")], check=True)
    ours = office.maker(spec)
    ours.create()
    assert not ids(ours.record.present) & theirs
    office.maker(spec, ours.record.present).delete()
    assert set(office.machines()) | office.pairs() == theirs


def test_rows_of_other_runs_are_never_deleted(office: Office) -> None:
    spec = office.spec()
    maker = office.maker(spec)
    maker.create()
    others = tuple(
        replace(r, run_id="20260101-9", resource_id=f"20260101-9/{r.resource_id}") for r in maker.record.present
    )
    (office.folder / "key.pub").write_text(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrhV2RzX3NoaWxpX3NoaWxpX3NoaWxpX3NoaWxpX3No\n"
    )
    office.maker(spec, others).delete()
    assert len(office.machines()) == 1


def test_one_that_was_taken_away_by_hand_is_made_again(office: Office) -> None:
    spec = office.spec(machines=2)
    maker = office.maker(spec)
    maker.create()
    gone = next(r for r in maker.record.present if r.kind == "server" and r.machine == "db")
    office.ec2.terminate_instances(InstanceIds=[gone.external_id])
    again = office.maker(spec, maker.record.present)
    assert again.create() and len(office.machines()) == 2
    assert gone.external_id not in ids(again.record.present)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image": "ami-00000000"}, "InvalidAMIID.NotFound"),
        ({"image": "没有的镜像"}, "没有的镜像"),
        ({"network": "没有的子网"}, "没有的子网"),
        ({"offering": "M-ECS-G2:999C99999G"}, "999C99999G"),
        ({"security_groups": ("没有的安全组",)}, "没有的安全组"),
    ],
)
def test_what_the_cloud_does_not_have_is_named(office: Office, changes: dict[str, str], said: str) -> None:
    with pytest.raises(CloudError) as error:
        office.maker(office.spec(**changes)).create()
    assert said in error.value.message("zh") and said in error.value.message("en") and not office.machines()


def test_an_instance_type_of_the_wrong_architecture_is_not_taken(office: Office) -> None:
    """An offering of the 信创 area on x86 would be the wrong machine at the right price."""
    arm = office.ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["arm64"]}])["Images"]
    assert arm, "moto's images have one"
    maker = office.maker(office.spec(image=arm[0]["ImageId"]))
    maker.create()
    kind = office.ec2.describe_instance_types(InstanceTypes=[maker.facts["flavor.web"]])["InstanceTypes"][0]
    assert kind["ProcessorInfo"]["SupportedArchitectures"] == ["arm64"]


def test_a_line_that_a_crash_tore_off_costs_nothing_else(tmp_path: Path) -> None:
    one = Resource(
        resource_id="r/s/m/server",
        run_id="r",
        system_id="s",
        machine="m",
        kind="server",
        driver="ec2",
        cloud="c",
        name="n",
        intent_at=AT,
    )
    first = Record(tmp_path, (), lambda: AT)
    first.made(first.intend(one), "i-1", "10.0.0.1")
    whole = (tmp_path / FILE).read_bytes()
    for length in range(0, len(whole), 11):
        (tmp_path / FILE).write_bytes(whole[:length])
        known = Record(tmp_path, (), lambda: AT)
        known.made(one, "i-2", None)
        assert read_resources(tmp_path / FILE)[-1].external_id == "i-2"
        assert len(read_resources(tmp_path / FILE)) <= 3


FLAVORS = st.lists(
    st.builds(
        Flavor, name=st.text("abc", min_size=1, max_size=3), id=st.just("x"), vcpu=st.integers(1, 8),
        memory_mib=st.integers(1, 16).map(lambda g: g * 1024), disk_gib=st.sampled_from([0, 20, 80]),
        archs=st.sampled_from([(), ("x86_64",), ("aarch64",)]),
    )
)  # fmt: skip


@given(FLAVORS, st.integers(1, 8), st.integers(1, 16), st.sampled_from([None, "x86_64", "aarch64"]))
@settings(deadline=None)
def test_a_machine_is_never_smaller_than_ordered_and_no_bigger_than_needed(
    flavors: list[Flavor], vcpu: int, memory: int, arch: str | None
) -> None:
    size = Size(code="X", vcpu=vcpu, memory_gib=memory)
    fits = [
        f
        for f in flavors
        if f.vcpu >= vcpu and f.memory_mib >= memory * 1024 and (not f.archs or arch is None or arch in f.archs)
    ]
    chosen = choose_flavor(size, 40, flavors, arch)
    assert (chosen is None) == (not fits)
    if chosen is not None:
        assert chosen in fits and (chosen.vcpu, chosen.memory_mib) == min((f.vcpu, f.memory_mib) for f in fits)


OFFERING = Offering(
    code="M-ECS-G2", layer="iaas", service_class="virtual_machine", name=Text("云主机", "Machine"), unit=Text("台", "machine"),
    memory_per_vcpu={4: (8, 16)}, arch=("x86_64",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("offering", "of", "said"),
    [
        ("M-ECS-G2:4C8G", OFFERING, None),
        ("M-ECS-G2:4C32G", OFFERING, "4C16G"),
        ("M-ECS-G9:4C8G", None, "M-ECS-G9"),
        ("M-ECS-G2:4C8G", replace(OFFERING, status="closed_to_new"), "M-ECS-G2"),
        ("M-ECS-G2", OFFERING, "offering and a size"),
        ("M-ECS-G2:0C8G", OFFERING, "offering and a size"),
        ("{{ lookup('pipe', 'id') }}:4C8G", OFFERING, "offering and a size"),
    ],
)
def test_a_wrong_offering_is_told_before_anything_is_made(offering: str, of: Offering | None, said: str | None) -> None:
    provision = ProvisionSpec(driver="ec2", cloud="c", offering=offering, image="i", network="n", key_file="k")
    problems = verify_provision(MachineSpec(source="a", target="b", provision=provision), of)
    assert problems == [] if said is None else said in problems[0].en and problems[0].zh


def test_what_can_not_work_is_told_before_anything_is_made() -> None:
    bare = ProvisionSpec(driver="ec2", offering="M-ECS-G2:4C8G", image="i", network="n", user="-oProxyCommand=x")
    machine = MachineSpec(source="a", target="-b", provision=bare, image=ImageSpec(disk="/dev/sda"))
    said = " ".join(p.en for p in verify_provision(machine, OFFERING))
    for word in ("user name", "host name", "key_file", "cloud", "image route"):
        assert word in said
    assert verify_provision(replace(machine, provision=None), None)[0].en.startswith("A whole machine's image")


def test_only_names_of_files_reach_an_attempt_s_environment(tmp_path: Path) -> None:
    """The environment of an attempt is written down; a password in it would be, too."""
    clouds = tmp_path / ".config/openstack/clouds.yaml"
    clouds.parent.mkdir(parents=True)
    clouds.touch()
    given = {"OS_PASSWORD": "secret", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": str(tmp_path / "none")}
    found = credential_files(given, tmp_path)
    assert found == {"OS_CLIENT_CONFIG_FILE": str(clouds)} and "secret" not in str(found)


# -- a machine that the cloud desk opens ----------------------------------------------------------------------------


def waiting(office: Office) -> tuple[MigrationSpec, Maker, str]:
    spec = office.spec(driver="existing", cloud="", image="麒麟 V10 SP3", network="示例业务网", address="10.20.0.9")
    spec = replace(spec, machines=spec.machines[:1])
    maker = office.maker(spec)
    with pytest.raises(CloudError) as error:
        maker.create()
    assert error.value.facts["wait"] == "ticket"
    return spec, maker, Path(str(error.value.facts["ticket.web"])).read_text("utf-8")


def test_the_ticket_has_every_value_in_both_languages_and_its_answer_is_the_machine(office: Office) -> None:
    spec, maker, ticket = waiting(office)
    key = (office.folder / "key.pub").read_text().split()[1]
    for value in ("M-ECS-G2", "vCPU：4", "Memory: 8 GiB", "40 GiB", "麒麟 V10 SP3", "示例业务网", "10.20.0.9", "new-web",
                  key, host_key.fingerprint(key), "root"):  # fmt: skip
        assert value in ticket
    form = "\n".join(ticket.splitlines()[-4:]).replace("id:", "id: vm-4711").replace("address:", "address: 10.20.0.9")
    answer = office.folder / "answer.yaml"
    answer.write_text(form, "utf-8")
    tickets = [r for r in maker.record.present if r.kind == "ticket"]
    machine = load_answer(answer, tickets, AT)
    assert (machine.kind, machine.external_id, machine.address, machine.machine) == (
        "server",
        "vm-4711",
        "10.20.0.9",
        "web",
    )
    go_on = office.maker(spec, (*maker.record.present, machine))
    go_on.create()
    access = reach(spec.machines[0], go_on.record.present)
    assert access is not None and access.address == "10.20.0.9"
    back = office.maker(spec, go_on.record.present)
    back.delete()
    (note,) = back.folder.glob("return-*.txt")
    assert "vm-4711" in note.read_text("utf-8") and back.record.present == ()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("id: x\naddress: 10.0.0.1\n", "ticket"),
        ("ticket: T\nid: x\naddress: 10.0.0.1\n", "no such ticket"),
        ("ticket: {t}\nid: '-x; rm'\naddress: 10.0.0.1\n", "id"),
        ("ticket: {t}\nid: x\naddress: 10.0.0\n", "IP address"),
        ("ticket: {t}\nid: x\naddress: 127.0.0.1\n", "address"),
        ("ticket: {t}\nid: x\naddress: 10.0.0.1\nansible_host: y\n", "ansible_host"),
        ("- 1\n", "ticket"),
        ("ticket: !!python/object/apply:os.system ['id']\n", ""),
    ],
)
def test_a_wrong_answer_is_refused_with_its_line(office: Office, answer: str, said: str) -> None:
    _, maker, _ = waiting(office)
    tickets = [r for r in maker.record.present if r.kind == "ticket"]
    file = office.folder / "answer.yaml"
    file.write_text(answer.replace("{t}", tickets[0].name), "utf-8")
    with pytest.raises(InputError) as error:
        load_answer(file, tickets, AT)
    assert said in error.value.message("en") and "answer.yaml" in error.value.message("zh")


# -- as a playbook -----------------------------------------------------------------------------------------------


def play(
    office: Office, spec: MigrationSpec, phase: Phase, known: tuple[Resource, ...] = ()
) -> tuple[int, dict[str, Any]]:
    return play_provision(office.folder, spec, phase, known)


def test_the_step_s_playbooks_say_what_is_waited_for_and_undo_what_was_recorded(office: Office) -> None:
    spec = office.spec(driver="existing", cloud="", image="麒麟", network="示例业务网")
    code, told = play(office, spec, "apply")
    assert code != 0 and told["gov"]["wait"] == "ticket" and Path(told["gov"]["ticket.web"]).is_file()
    assert {"zh", "en"} <= told["problems"][0].keys() and "工单" in told["problems"][0]["zh"]
    made = office.maker(office.spec())
    made.create()
    code, told = play(office, office.spec(), "rollback", made.record.present)
    assert code == 0 and told["changed"] and not office.machines() and not office.pairs()


def test_the_changes_that_are_counted_are_all_there_are(office: Office, faulty: Proxy) -> None:
    """Else a fault at the n-th call would not be one at every call."""
    office.maker(office.spec(machines=2)).create()
    assert sorted(faulty.changes) == sorted(CHANGES * 2)


def test_the_size_s_notation_is_the_office_s() -> None:
    assert parse_offering(" M-ECS-K2:16c64g ") == Size(code="M-ECS-K2", vcpu=16, memory_gib=64)
