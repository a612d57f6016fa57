"""The entrance is where users come in: a half-made or unnoticed wrong switch is an outage on Saturday night."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cell import Cell, wait_until
from hypothesis import example, given
from hypothesis import strategies as st
from module_run import SYSTEM, load_util, run_module, said

OLD, NEW = "10.66.1.10", "10.100.8.10"
HOSTS_FILE = f"127.0.0.1 localhost\n{OLD}\toa.example oa db.example # 旧机\n# {OLD} oa.example\n{OLD} mail.example\n"


def entrance(action: str, to: str, *specs: dict[str, Any], state: Path, **more: Any) -> dict[str, Any]:
    end = {"host": "entry-01", "state_dir": str(state), "entrances": [{"index": i, **s} for i, s in enumerate(specs)]}
    return run_module("gov_entrance", end=end, action=action, to=to, **{"system": SYSTEM, **more})


def spec(kind: str, file: Path | str, source: str = OLD, target: str = NEW, **more: Any) -> dict[str, Any]:
    plain = {"host": "entry-01", "name": "oa", "zone": "", "server": "", "key_file": None, "ttl": 60}
    return {**plain, "kind": kind, "file": str(file), "source": source, "target": target, **more}


@pytest.fixture
def json_file(tmp_path: Path) -> Path:
    path = tmp_path / "upstreams.json"
    path.write_text(json.dumps({"oa": OLD, "邮件": "http://10.66.1.11"}, ensure_ascii=False))
    return path


def test_a_switch_and_the_way_back_touch_only_our_name(json_file: Path, tmp_path: Path) -> None:
    json_file.chmod(0o640)
    one = spec("json", json_file)
    assert not said(entrance("check", "source", one, state=tmp_path))
    assert entrance("switch", "target", one, state=tmp_path)["changed"]
    assert json.loads(json_file.read_text("utf-8")) == {"oa": NEW, "邮件": "http://10.66.1.11"}
    assert json_file.stat().st_mode & 0o777 == 0o640
    assert not entrance("switch", "target", one, state=tmp_path)["changed"]
    assert "not to 10.66.1.10" in said(entrance("check", "source", one, state=tmp_path))
    assert entrance("switch", "source", one, state=tmp_path)["changed"]
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith((".govcloud.lock", "SL-"))) == [
        "upstreams.json"
    ]


def test_an_attempt_that_was_superseded_switches_nothing(json_file: Path, tmp_path: Path) -> None:
    """F5: a cutover that was asleep wakes up when its way back is long over."""
    one = spec("json", json_file)
    assert entrance("switch", "target", one, state=tmp_path, system={**SYSTEM, "token": 5})["changed"]
    assert entrance("switch", "source", one, state=tmp_path, system={**SYSTEM, "token": 6})["changed"]
    assert "superseded" in said(entrance("switch", "target", one, state=tmp_path, system={**SYSTEM, "token": 5}))
    assert json.loads(json_file.read_text("utf-8"))["oa"] == OLD


def test_an_entrance_that_points_elsewhere_is_never_touched(json_file: Path, tmp_path: Path) -> None:
    """Somebody has put up a maintenance page or moved it already: overwriting that would hide it."""
    json_file.write_text('{"oa": "http://maintenance"}')
    assert "neither source nor target" in said(entrance("switch", "target", spec("json", json_file), state=tmp_path))
    assert "maintenance" in json_file.read_text()


def test_all_entrances_are_switched_or_none(json_file: Path, tmp_path: Path) -> None:
    """The second can't be written: the first must point back, else half the users are on each side."""
    folder = tmp_path / "readonly"
    folder.mkdir()
    (folder / "hosts").write_text(f"{OLD} oa\n")
    read_only = (
        'mount -t tmpfs none "$0" && echo "$1 oa" > "$0/hosts" && mount -o remount,bind,ro "$0" && shift && exec "$@"'
    )
    prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", read_only, str(folder), OLD]
    end = {
        "host": "entry-01",
        "state_dir": str(tmp_path),
        "entrances": [spec("json", json_file), spec("hosts", folder / "hosts")],
    }
    answer = run_module("gov_entrance", prefix=prefix, end=end, system=SYSTEM, action="switch", to="target")
    assert "Read-only file system" in said(answer)
    assert json.loads(json_file.read_text("utf-8"))["oa"] == OLD
    rehearsed = run_module("gov_entrance", prefix=prefix, end=end, system=SYSTEM, action="rehearse", to="target")
    assert "can't be replaced" in said(rehearsed), "the rehearsal must find out before the window does"


hosts_file = load_util("gov_hosts_file")
nginx = load_util("gov_nginx")


def test_a_hosts_file_keeps_every_other_name_and_comment() -> None:
    made = hosts_file.point(HOSTS_FILE, "oa.example", NEW)
    assert hosts_file.addresses(made, "OA.example") == [NEW]
    assert hosts_file.addresses(made, "db.example") == hosts_file.addresses(made, "mail.example") == [OLD]
    assert "# 旧机" in made and f"# {OLD} oa.example\n" in made
    assert hosts_file.point(f"{OLD} oa # x", "oa", NEW) == f"{NEW} oa # x\n"


NAMES = st.sampled_from(["oa", "db", "mail", "web"])
LINES = st.one_of(
    st.tuples(
        st.sampled_from([OLD, NEW, "127.0.0.1", "::1"]), st.lists(NAMES, min_size=1, max_size=3, unique=True)
    ).map(lambda pair: f"{pair[0]}  {' '.join(pair[1])}"),
    st.sampled_from(["", "# oa", "  # 注释"]),
)


@given(st.lists(LINES, max_size=6))
def test_pointing_one_name_never_moves_another(lines: list[str]) -> None:
    text = "\n".join(lines)
    made = hosts_file.point(text, "oa", NEW)
    for name in ("db", "mail", "web"):
        assert hosts_file.addresses(made, name) == hosts_file.addresses(text, name)
    assert set(hosts_file.addresses(made, "oa")) == ({NEW} if hosts_file.addresses(text, "oa") else set())


def test_a_name_with_two_addresses_is_left_to_a_person(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(f"{OLD} oa\n{NEW} oa\n")
    assert "several addresses" in said(entrance("switch", "target", spec("hosts", tmp_path / "hosts"), state=tmp_path))


UPSTREAM = f"""# upstream oa {{ server 1.1.1.1:80; }}
upstream other {{ server 10.66.1.99:80; }}
upstream "oa" {{
    least_conn;
    # server 10.66.1.77:8080; 旧
    server {OLD}:8080 weight=5 max_fails=2; # 主
    server "{OLD}:8081" backup;
    keepalive 16;
}}
server {{ listen 80; location / {{ proxy_pass http://oa; add_header X "a;b}}c{{"; }} }}
"""
OLD_PAIR = f"{OLD}:8080 {OLD}:8081"


def test_only_the_servers_of_the_block_change() -> None:
    made = nginx.point(UPSTREAM, "oa", f"{NEW}:8080 {NEW}:8081")
    assert [s[0] for s in nginx.servers(made, "oa")] == [f"{NEW}:8080", f"{NEW}:8081"]
    assert made.replace(NEW, OLD).replace(f"{OLD}:8081 backup", f'"{OLD}:8081" backup') == UPSTREAM
    fewer = nginx.point(UPSTREAM, "oa", f"{NEW}:80")
    assert [s[0] for s in nginx.servers(fewer, "oa")] == [f"{NEW}:80"]
    more = nginx.point(UPSTREAM, "oa", "a:1 b:2 c:3")
    assert [s[0] for s in nginx.servers(more, "oa")] == ["a:1", "b:2", "c:3"] and "server c:3 backup;" in more


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("upstream oa { server a:1;", "does not end"), ("upstream b { server a:1; }", "0 upstream oa"),
        ("upstream oa { server a:1; } upstream oa { server b:1; }", "2 upstream oa"), ('upstream oa { server "a:1; }', "can't be read"),
    ],
)  # fmt: skip
def test_a_file_that_nginx_would_not_read_is_refused(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "oa.conf").write_text(text)
    answer = entrance("check", "source", spec("nginx", tmp_path / "oa.conf", "a:1", "b:1"), state=tmp_path)
    assert why in said(answer)


BLANK = st.sampled_from([" ", "\n", " # a;b}\n", "\t"])
WORD = st.sampled_from(["weight=5", "backup", '"down"', "'a b;'", "x\\;y", "${a}b"])
DIRECTIVE = st.tuples(
    st.sampled_from(["server", "keepalive", "zone"]), BLANK, st.lists(WORD, min_size=1, max_size=3), BLANK
)


@given(st.lists(DIRECTIVE, max_size=4), st.lists(st.sampled_from(["a:1", "b:2", "[::1]:80"]), min_size=1, max_size=3))
@example([("server", " # a;b}\n", ["x\\;y"], " ")], ["a:1"])
def test_what_was_pointed_somewhere_points_there(
    directives: list[tuple[str, str, list[str], str]], to: list[str]
) -> None:
    body = "".join(f"{name}{gap}{' '.join(args)};{end}" for name, gap, args, end in directives)
    text = "upstream oa {" + body + " server z:9; } # }\n"
    made = nginx.point(text, "oa", " ".join(to))
    assert [s[0] for s in nginx.servers(made, "oa")][: len(to)] == to[: len(nginx.servers(made, "oa"))]
    others = [w for w, _, _ in nginx.tokens(text) if w in ("keepalive", "zone")]
    assert [w for w, _, _ in nginx.tokens(made) if w in ("keepalive", "zone")] == others


@pytest.fixture
def cell() -> Iterator[Cell]:
    with Cell() as made:
        yield made


def site(folder: Path) -> Path:
    """Debian's layout: a folder that nginx reads whole, with a link to the site's file."""
    for name in ("enabled", "available", "www"):
        (folder / name).mkdir(parents=True)
    for port, who in ((8080, "old"), (8081, "new")):
        (folder / "enabled" / f"{who}.conf").write_text(
            f"server {{ listen 127.0.0.1:{port}; location / {{ default_type text/plain; return 200 {who}; }} }}\n"
        )
    (folder / "available" / "oa").write_text(
        "upstream oa { server 127.0.0.1:8080 max_fails=1; }\n"
        "server { listen 127.0.0.1:80; location / { proxy_pass http://oa; proxy_connect_timeout 2; } }\n"
    )
    (folder / "enabled" / "oa").symlink_to("../available/oa")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"user root;\nworker_processes 2;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ access_log off;\n{temporary}include {folder}/enabled/*; }}\n"
    )
    return folder


@pytest.mark.servers
def test_nginx_is_switched_and_a_candidate_that_it_refuses_never_gets_in(cell: Cell, tmp_path: Path) -> None:
    folder = site(tmp_path / "nginx")
    upstream = spec("nginx", folder / "enabled" / "oa", "127.0.0.1:8080", "127.0.0.1:8081")

    def act(action: str, to: str, one: dict[str, Any] = upstream) -> dict[str, Any]:
        end = {"host": "entry-01", "state_dir": str(tmp_path / "state"), "entrances": [one]}
        return run_module("gov_entrance", prefix=cell.prefix, end=end, system=SYSTEM, action=action, to=to)

    def answer() -> str:
        return cell.run(
            sys.executable,
            "-c",
            "import urllib.request as u; print(u.urlopen('http://127.0.0.1/').read().decode(), end='')",
        )

    assert "No running nginx" in said(act("switch", "target"))
    cell.run("/usr/sbin/nginx", "-c", folder / "nginx.conf")
    assert answer() == "old"
    before = {p.name for p in (folder / "enabled").iterdir()}
    text = (folder / "available" / "oa").read_text()
    rehearsed = act("rehearse", "target")
    assert not said(rehearsed) and not rehearsed["changed"]
    assert (folder / "available" / "oa").read_text() == text and answer() == "old"
    assert act("switch", "target")["changed"]
    assert answer() == "new", "the reload is over when the module is"
    assert not act("switch", "target")["changed"]
    assert act("switch", "source")["changed"] and answer() == "old"
    assert {p.name for p in (folder / "enabled").iterdir()} == before, "a backup in this folder would be read as a site"
    assert (folder / "enabled" / "oa").is_symlink()

    bad = {**upstream, "target": "no.such.host.invalid:8081"}
    for action in ("rehearse", "switch"):
        assert "does not accept" in said(act(action, "target", bad))
    assert (folder / "available" / "oa").read_text() == text and answer() == "old"
    (folder / "enabled" / "broken.conf").write_text("server { listen 127.0.0.1:82; }}\n")
    assert "present configuration is broken" in said(act("switch", "target"))
    assert (folder / "available" / "oa").read_text() == text and answer() == "old"


@pytest.mark.servers
def test_a_reload_that_nginx_does_not_survive_is_undone(cell: Cell, tmp_path: Path) -> None:
    """`nginx -t` passes and the reload fails all the same: somebody's other change wants a port that is taken."""
    folder = site(tmp_path / "nginx")
    cell.run("/usr/sbin/nginx", "-c", folder / "nginx.conf")
    cell.start(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "99")
    wait_until(
        lambda: (
            "200"
            in cell.run(
                sys.executable,
                "-c",
                "import urllib.request as u; print(u.urlopen('http://127.0.0.1:99/').status)",
                code=None,
            )
        )
    )
    (folder / "enabled" / "soon.conf").write_text("server { listen 127.0.0.1:99; }\n")
    upstream = spec("nginx", folder / "enabled" / "oa", "127.0.0.1:8080", "127.0.0.1:8081")
    end = {"host": "entry-01", "state_dir": str(tmp_path / "state"), "entrances": [upstream]}
    answer = run_module("gov_entrance", prefix=cell.prefix, end=end, system=SYSTEM, action="switch", to="target")
    assert said(answer) == "nginx did not take the new configuration, see its error log"
    assert "127.0.0.1:8080" in (folder / "available" / "oa").read_text()


ZONE = """$TTL 300
@ IN SOA ns.gov.example. admin.gov.example. 1 3600 600 86400 60
@ IN NS ns.gov.example.
ns IN A 127.0.0.1
oa 300 IN A 10.66.1.10
mail 300 IN A 10.66.1.11
slow 3600 IN A 10.66.1.12
"""


def name_server(cell: Cell, folder: Path) -> None:
    folder.mkdir()
    for key in ("right", "wrong"):
        (folder / f"{key}.key").write_text(
            subprocess.run(["tsig-keygen", "govcloud"], check=True, capture_output=True, text=True).stdout
        )
    (folder / "zone").write_text(ZONE)
    (folder / "named.conf").write_text(
        f'include "{folder}/right.key";\noptions {{ directory "{folder}"; listen-on {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};'
        f' recursion no; pid-file "{folder}/pid"; session-keyfile "{folder}/session.key"; }};\ncontrols {{ }};\n'
        f'zone "gov.example" {{ type primary; file "{folder}/zone"; update-policy {{ grant govcloud name oa.gov.example A; }}; }};\n'
    )
    cell.start("/usr/sbin/named", "-g", "-c", folder / "named.conf")
    wait_until(
        lambda: (
            "10.66.1.10" in cell.run("dig", "+short", "@127.0.0.1", "+time=1", "+tries=1", "oa.gov.example", code=None)
        )
    )


@pytest.mark.servers
def test_a_record_is_changed_at_the_server_with_its_key_and_only_that_record(cell: Cell, tmp_path: Path) -> None:
    folder = tmp_path / "dns"
    name_server(cell, folder)
    record = spec(
        "dns", "", name="oa.gov.example", zone="gov.example", server="127.0.0.1", key_file=str(folder / "right.key")
    )

    def act(action: str, to: str, one: dict[str, Any] = record) -> dict[str, Any]:
        end = {"host": "entry-01", "state_dir": str(tmp_path / "state"), "entrances": [one]}
        return run_module("gov_entrance", prefix=cell.prefix, end=end, system=SYSTEM, action=action, to=to)

    def ask(name: str) -> str:
        return cell.run("dig", "+noall", "+answer", "@127.0.0.1", name)

    checked = act("check", "source")
    assert not said(checked) and checked["gov"]["ttl_s"] == 300, (
        "how long resolvers keep the old address must be known before the window"
    )
    slow = {**record, "name": "slow.gov.example", "source": "10.66.1.12"}
    assert "is 3600 s" in said(act("check", "source", slow)), "an hour of old answers can't be waited for in the window"
    serial = ask("gov.example") + cell.run("dig", "+short", "@127.0.0.1", "gov.example", "SOA")
    assert not said(act("rehearse", "target"))
    assert serial == ask("gov.example") + cell.run("dig", "+short", "@127.0.0.1", "gov.example", "SOA"), (
        "a rehearsal changes nothing"
    )
    assert act("switch", "target")["changed"]
    assert f"60\tIN\tA\t{NEW}" in ask("oa.gov.example") and "10.66.1.11" in ask("mail.gov.example")
    assert not act("switch", "target")["changed"]
    assert act("switch", "source")["changed"] and OLD in ask("oa.gov.example")
    for action in ("rehearse", "switch"):
        assert "refused the update" in said(act(action, "target", {**record, "key_file": str(folder / "wrong.key")}))
        other = {**record, "name": "mail.gov.example", "source": "10.66.1.11"}
        assert "refused the update" in said(act(action, "target", other)), "the key may not change this name"
    secret = (folder / "right.key").read_text().split('"')[3]
    assert secret not in json.dumps(act("rehearse", "target"))
    assert "does not tell" in said(act("check", "source", {**record, "server": "127.0.0.2"}))
    assert "does not tell" in said(act("check", "source", {**record, "name": "oa.elsewhere.example"})), "not its zone"


def test_a_state_folder_that_can_not_be_written_is_found_before_the_window(json_file: Path, tmp_path: Path) -> None:
    """The switch notes itself there first: at the cutover it would be too late to find out."""
    (tmp_path / "file").write_text("")
    answer = entrance("check", "source", spec("json", json_file), state=tmp_path / "file" / "notes", tell_only=True)
    (told,) = answer["told"]
    assert told["en"].startswith("entry-01: ") and "may not write to" in told["en"] and "不能写入" in told["zh"]
