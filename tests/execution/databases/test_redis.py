"""Redis from one server to another: copied or replicated while it is written to, frozen, compared by value."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import redis_server
from bench import Bench
from module_run import load_util, said
from redis_server import RedisServer

from govcloud.execution.stream import StreamError

pytestmark = pytest.mark.servers


@pytest.fixture
def old() -> Iterator[RedisServer]:
    with redis_server.running() as server:
        server("SET", "公告", "今天")
        server("SET", b"\xff\x00raw", b"\x01\x02")
        server("RPUSH", "queue", *range(300))
        server("SADD", "members", *(f"m{n}" for n in range(600)))
        server("HSET", "letter:1", "title", "通知", "state", "归档")
        server("ZADD", "rank", 1.5, "a", -2, "b")
        server("XADD", "events", "1-1", "what", "login")
        server("XGROUP", "CREATE", "events", "readers", "0")
        server("SET", "session", "s", "EX", 7200)
        server("SET", "gone soon", "s", "EX", 60)
        server("SET", "other", "x", db=3)
        server("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
        server("ACL", "SETUSER", "oa", "on", ">a-user-password", "~letter:*", "+@read", "(+set ~drafts:*)")
        yield server


@pytest.fixture
def new() -> Iterator[RedisServer]:
    with redis_server.running() as server:
        yield server


@pytest.fixture(params=["dump", "replication"])
def moved(request: pytest.FixtureRequest, bench: Bench, old: RedisServer, new: RedisServer) -> Bench:
    bench.add("redis", old.end(), new.end(), request.param)
    bench.mark()
    return bench


def test_everything_arrives_while_it_is_written_to_and_nothing_is_lost(
    moved: Bench, old: RedisServer, new: RedisServer
) -> None:
    """Accounts, functions, streams with their groups, expiry and odd bytes are what a copy by hand forgets."""
    stop, acknowledged = threading.Event(), [0]

    def write() -> None:
        client = load_util("gov_redis").Server(old.end())
        try:
            while not stop.is_set():
                client("INCR", "counter")
                acknowledged[0] += 1
                time.sleep(0.002)
        except (load_util("gov_redis").Said, OSError):
            return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        moved.data("replicate")
        assert moved.data("compare")[0] == []
        assert moved.data("check_replicated")[0] == []
        frozen = moved.host("freeze", "source")
        assert not said(frozen) and frozen["gov"]["sessions_closed"] >= 1
    finally:
        stop.set()
        writer.join()
    moved.data("final")
    problems, facts = moved.data("verify")
    assert problems == [] and facts["level"] == "L2" and facts["tables"] == 2
    assert not said(moved.host("check_frozen", "source"))
    moved.data("end_replication")
    assert int(new("GET", "counter")) == acknowledged[0] > 0
    assert new("GET", "other", db=3) == b"x" and new("FCALL", "f", 0) == 1
    assert 7000 < new("TTL", "session") <= 7200
    # The account logs in with the password that only its hash is known of.
    client = load_util("gov_redis").Server(new.end())
    client("AUTH", "oa", "a-user-password")
    assert client("HGET", "letter:1", "state") == "归档".encode()
    new("SET", "the target serves", "1")
    evidence = "".join(p.read_text() for p in moved.evidence.iterdir() if p.is_file())
    assert "a-user-password" not in evidence and redis_server.PASSWORD not in evidence


def test_a_frozen_server_refuses_and_a_write_behind_our_back_is_found(
    bench: Bench, old: RedisServer, new: RedisServer
) -> None:
    bench.add("redis", old.end(), new.end())
    assert not said(bench.host("freeze", "source"))
    with pytest.raises(load_util("gov_redis").Said, match="NOREPLICAS"):
        old("SET", "late", "1")
    assert not said(bench.host("check_frozen", "source"))
    # An administrator who switches the rule off for a moment.
    old("CONFIG", "SET", "min-replicas-to-write", 0)
    assert "takes writes" in said(bench.host("check_frozen", "source"))
    old("SET", "late", "1")
    old("CONFIG", "SET", "min-replicas-to-write", load_util("gov_redis").NOBODY)
    assert "was written to after the freeze" in said(bench.host("check_frozen", "source"))
    bench.host("thaw", "source")
    old("SET", "late", "2")
    assert old("CONFIG", "GET", "min-replicas-to-write")[1] == b"0"


def test_after_a_rehearsal_replication_goes_on_without_what_it_wrote(
    bench: Bench, old: RedisServer, new: RedisServer
) -> None:
    bench.add("redis", old.end(), new.end(), "replication")
    bench.mark()
    bench.data("replicate")
    bench.data("pause_replication")
    new("SET", "rehearsal", "wrote this")
    bench.data("resume_replication")
    assert new("GET", "rehearsal") is None
    assert bench.data("check_replicated")[0] == []


def test_one_changed_element_is_red_and_what_the_target_took_is_exported(
    bench: Bench, old: RedisServer, new: RedisServer
) -> None:
    bench.add("redis", old.end(), new.end())
    bench.mark()
    bench.data("replicate")
    assert bench.data("verify")[0] == []
    new("LSET", "queue", 150, "wrong")
    new("SET", "new letter", "新来的")
    new("DEL", "rank")
    problems, _ = bench.data("verify")
    assert "Table db0" in problems[0].en
    assert bench.data("export_taken")[1] == {"taken_rows": 2, "taken_deleted": 1}
    assert "\\u65b0\\u6765\\u7684" in (bench.evidence / "taken-0.jsonl").read_text()


def test_keys_of_somebody_else_are_left_alone(bench: Bench, old: RedisServer, new: RedisServer) -> None:
    bench.add("redis", old.end(), new.end())
    bench.mark()
    new("SET", "theirs", "1")
    with pytest.raises(StreamError, match="no copy of ours"):
        bench.data("replicate")
    assert new("GET", "theirs") == b"1"
    found = load_util("gov_redis").probe(dict(new.end(), index=0, method="dump"), "target")
    assert "holds 1 keys" in found["problems"][0]["en"]


def test_a_stream_that_is_cut_off_is_no_copy(bench: Bench, old: RedisServer, new: RedisServer) -> None:
    """The last piece may be missing without any program noticing."""
    import subprocess

    from govcloud.execution.databases.far import build_pairs

    bench.add("redis", old.end(), new.end())
    bench.mark()
    (pair,) = build_pairs(bench.spec, bench.system, evidence=bench.evidence, ssh_config=bench.ssh_config)
    whole = subprocess.run(pair.source.argv("dump"), capture_output=True, check=True).stdout
    for size in (5, len(whole) // 2, len(whole) - 1):
        done = subprocess.run(pair.target.argv("restore"), input=whole[:size], capture_output=True, check=False)
        assert done.returncode == 1 and b"cut off" in done.stderr


def test_a_server_that_is_not_there_is_a_sentence(bench: Bench, old: RedisServer) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        end = dict(old.end(), port=nobody.getsockname()[1], index=0, method="dump")
        assert "refused" in load_util("gov_redis").probe(end, "source")["problems"][0]["en"]
