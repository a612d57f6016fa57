"""Our end of an SSH connection on a host: lists a tree and sends files; gov_receive.py has the target's half.

Standard library only, Python 3.6 or newer. `govcloud/execution/agent.py` sends this text to the host's `python3` and talks
to it in frames: kind (1 byte), length (4 bytes, network order), content. J asks (JSON with `do`), K answers (JSON), E says
why not (JSON with zh, en, kind) and ends. P: still at work. L rows of a listing, l their end; W wanted files, w their end;
A what the receiver has, or what is wished for so far (files, bytes); R how a part of the straight way to the target came out
(JSON, `refused` where it did not). D small files, F C H Z a large one (gov_receive.py describes them), Q no more.
Blocks of rows and wishes are fields joined by NUL, three an item. SSH authenticates every packet, so digests are made where
they decide something: of the pieces of a large file that is there already, and of everything on a frozen source.
The end that only reads never writes to its host's disks.
"""

import errno
import fcntl
import hashlib
import json
import os
import select
import struct
import sys
import threading
import time

from ansible.module_utils.gov_manifest import Accounts, Refused, escape, open_quietly, rows

CHUNK = 1 << 20
"""A large file is compared and sent in pieces of so many bytes."""
SMALL = 256 << 10
"""Files up to here travel many in one frame, and need no resuming."""
_PACK = 512 << 10
_LISTED = 512
HEADER = struct.Struct(">cI")
ITEM = struct.Struct(">BHIqHHB")
"""kind, length of the name, of the content, mtime_ns, mode, owner's number, length of the digest"""
ENTER, FILE, OWNER = 1, 2, 3
LARGE = struct.Struct(">HQqHHBB")
"""length of the path, size, mtime_ns, mode, owner's number, 1 if pieces of a base are kept, length of the digest"""
PIECE = struct.Struct(">Q")
"""offset; then the bytes"""
HELD = struct.Struct(">QQ")
"""offset and length of what the receiver already has right"""
COUNTS = struct.Struct(">QQ")
_NOT_CARRIED = ("system.posix_acl", "security.capability", "user.")
"""Extended attributes that somebody set and that stay behind: counted, so that nobody has to find out by himself."""


def _widen(end):
    """Fewer, larger reads and writes where it is a pipe."""
    try:
        fcntl.fcntl(end, 1031, 1 << 20)  # F_SETPIPE_SZ; the fcntl module names it from Python 3.10 on
    except OSError:
        pass


class Wire:
    """Frames on two file descriptors."""

    def __init__(self, source, sink):
        self._in, self._sink = os.fdopen(source, "rb", 1 << 16), sink
        self._lock, self._at, self._room = threading.Lock(), time.monotonic(), bytearray(CHUNK + 64)
        for end in (source, sink):
            _widen(end)

    def put(self, kind, *contents):
        """One frame; its content may come in parts."""
        with self._lock:
            self._at = time.monotonic()
            parts = [memoryview(HEADER.pack(kind, sum(map(len, contents))))] + [memoryview(part) for part in contents]
            while parts:
                written = os.writev(self._sink, parts)
                while parts and written >= len(parts[0]):
                    written -= len(parts.pop(0))
                if written:
                    parts[0] = parts[0][written:]

    def say(self, frame, **document):
        self.put(frame, json.dumps(document).encode())

    def get(self):
        """(kind, content); kind None at the end. The content is good until the next call."""
        head = self._in.read(HEADER.size)
        if len(head) < HEADER.size:
            return None, b""
        kind, length = HEADER.unpack(head)
        if length > len(self._room):
            self._room = bytearray(length)
        view = memoryview(self._room)[:length]
        done = 0
        while done < length:
            got = self._in.readinto(view[done:])
            if not got:
                return None, b""
            done += got
        return kind, view

    def is_asked(self):
        """Whether a frame waits. One that came together with an earlier one is not seen, only later."""
        return bool(select.select([self._in], [], [], 0)[0])

    def beat(self, kind=b"P", content=b""):
        """A sign of life, at most one a second."""
        if time.monotonic() - self._at > 1:
            self.put(kind, content)


def fields(block):
    """Items of three fields each."""
    parts = bytes(block).split(b"\0")
    return zip(parts[0::3], parts[1::3], parts[2::3])


def hello(wire, _ask):
    return {"uid": os.geteuid(), "python": "%d.%d" % sys.version_info[:2]}


class Source:
    """One connection's work; the straight way to the target is opened while the tree is still listed."""

    def __init__(self):
        self._road = None

    def list(self, wire, ask):
        """The tree's rows. Raises Refused when it isn't there: an unmounted source must not pass for an empty one."""
        count = 0
        flat = []
        for row in rows(os.fsencode(ask["root"]), ask["owners"], ask["digests"], wire.beat):
            flat += row
            count += 1
            if len(flat) >= 3 * _LISTED:
                wire.put(b"L", b"\0".join(flat))
                flat = []
                if self._road is None and wire.is_asked():
                    kind, content = wire.get()
                    if kind is None:
                        sys.exit(1)
                    self.open(wire, json.loads(bytes(content).decode()))
        if flat:
            wire.put(b"L", b"\0".join(flat))
        if not count and not ask.get("may_lack"):
            raise Refused("源目录不存在：%s" % ask["root"], "No such directory at the source: %s" % ask["root"])
        return {"rows": count}

    def open(self, wire, ask):
        """Answers with R, from a thread, when it is known whether the target lets us in."""
        try:
            self._road = Direct(wire, ask["direct"])
        except OSError as error:  # no ssh here, or nowhere to keep a key but on a disk
            wire.say(b"R", refused=str(error))

    def send(self, wire, ask):
        """Send what is wished for, straight to the target where that way is open, else over this connection."""
        road = self._road if ask["direct"] else None
        sender = Sender(os.fsencode(ask["root"]), road.put if road else wire.put, ask["owners"], ask.get("bytes_per_s"))
        if road:
            road.carry(sender)
        else:
            _serve(wire, sender)
            wire.put(b"Q")
        return sender.told()


class Sender:
    """Turns wishes into frames."""

    def __init__(self, root, put, owners, bytes_per_s):
        self._root, self._put, self._owners = root, put, owners
        self._accounts, self._numbers = Accounts(), {}
        self._parts, self._filled, self._folder = [], 0, None
        self._rate, self._due = bytes_per_s, time.monotonic()
        self._room = bytearray(CHUNK)
        self.files = self.bytes = self.gone = self.bare = 0

    def wish(self, path, common, hint):
        try:
            descriptor = open_quietly(self._root + b"/" + path)
        except PermissionError:
            raise Refused("没有读取权限：%s" % escape(path), "Not readable: %s" % escape(path))
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise
            self.gone += 1  # a source that still serves; the next pass sees it
            return
        try:
            found = os.fstat(descriptor)
            digest = bytes.fromhex(common.rpartition(b" ")[2].decode()) if common.count(b" ") == 5 else b""
            owner = self._owner(found) if self._owners else 0
            if any(name.startswith(_NOT_CARRIED) for name in os.listxattr(descriptor)):
                self.bare += 1
            if found.st_size <= SMALL:
                # One more than expected shows that it grew; a buffer for the largest would cost more than the reading.
                data = os.read(descriptor, found.st_size + 1)
                if len(data) > found.st_size:
                    found = os.fstat(descriptor)
                    data += os.read(descriptor, SMALL)
                if len(data) <= SMALL:
                    self._small(path, found, owner, digest, data)
                    return
            self._large(descriptor, path, found, owner, digest, hint)
        finally:
            os.close(descriptor)

    def told(self):
        return {"files": self.files, "bytes": self.bytes, "gone": self.gone, "bare": self.bare}

    def _owner(self, found):
        owner = self._accounts.of(found.st_uid, found.st_gid)
        number = self._numbers.get(owner)
        if number is None:
            number = self._numbers[owner] = len(self._numbers) + 1
            self._parts += (ITEM.pack(OWNER, len(owner), 0, 0, 0, number, 0), owner)
        return number

    def _small(self, path, found, owner, digest, data):
        folder, _, name = path.rpartition(b"/")
        if folder != self._folder:
            self._folder = folder
            self._parts += (ITEM.pack(ENTER, len(folder), 0, 0, 0, 0, 0), folder)
        head = ITEM.pack(FILE, len(name), len(data), found.st_mtime_ns, found.st_mode & 0o7777, owner, len(digest))
        self._parts += (head, name, digest, data)
        self._filled += len(data) + 64
        self.files += 1
        if self._filled >= _PACK:
            self.flush()

    def flush(self):
        if self._parts:
            content = b"".join(self._parts)
            self._pace(len(content))
            self._put(b"D", content)
            self.bytes += len(content)
            self._parts, self._filled, self._folder = [], 0, None

    def _large(self, descriptor, path, found, owner, digest, hint):
        self.flush()
        base = bytes.fromhex(hint.decode())
        known = [base[at : at + 16] for at in range(0, len(base), 16)]
        mode = found.st_mode & 0o7777
        head = LARGE.pack(len(path), found.st_size, found.st_mtime_ns, mode, owner, 1 if known else 0, len(digest))
        self._put(b"F", head + path + digest)
        sparse = found.st_blocks * 512 < found.st_size
        at = 0
        while at < found.st_size:
            piece = at // CHUNK
            length = min(CHUNK - at % CHUNK, found.st_size - at)
            if sparse and piece >= len(known):
                at, length = _data(descriptor, at, length)
                if at is None:
                    break
            data = self._piece(descriptor, at, length)
            if not data:
                break  # it became shorter
            if piece < len(known) and hashlib.sha256(data).digest()[:16] == known[piece]:
                self._put(b"H", HELD.pack(at, len(data)))
            else:
                self._pace(len(data))
                self._put(b"C", PIECE.pack(at), data)
                self.bytes += len(data)
            at += len(data)
        self._put(b"Z", struct.pack(">Q", found.st_size if at is None else min(at, found.st_size)))
        self.files += 1

    def _piece(self, descriptor, at, length):
        if not hasattr(os, "preadv"):
            return os.pread(descriptor, length, at)
        view = memoryview(self._room)[:length]
        return view[: os.preadv(descriptor, [view], at)]

    def _pace(self, count):
        if self._rate:
            now = time.monotonic()
            # A pause isn't made good afterwards by more than a quarter of a second's worth.
            self._due = max(self._due, now - 0.25) + count / self._rate
            if self._due > now:
                time.sleep(self._due - now)


def _data(descriptor, at, length):
    """Where the next written bytes of a sparse file lie, and how many of them the piece has; None where there are none."""
    try:
        start = os.lseek(descriptor, at, os.SEEK_DATA)
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return None, 0
        return at, length  # a file system that can't tell
    return start, min(CHUNK - start % CHUNK, end - start)


def _serve(wire, sender):
    while True:
        kind, block = wire.get()
        if kind != b"W":
            sender.flush()
            if kind is None:
                sys.exit(1)
            return
        for path, common, hint in fields(block):
            sender.wish(path, common, hint)
            wire.beat()


class Direct:
    """Sends by an SSH connection of our own to the target. Key and host key lie in memory only, under no name."""

    def __init__(self, wire, direct):
        import subprocess  # only this way needs it, and importing it takes longer than a small listing

        self._wire = wire
        self._kept = [_in_memory(direct["key"]), _in_memory(direct["known_hosts"])]
        key, known = ("/proc/%d/fd/%d" % (os.getpid(), kept.fileno()) for kept in self._kept)
        options = {
            "BatchMode": "yes", "StrictHostKeyChecking": "yes", "UserKnownHostsFile": known, "GlobalKnownHostsFile": "/dev/null",
            "IdentityFile": key, "IdentitiesOnly": "yes", "HostKeyAlias": direct["alias"], "ConnectTimeout": "5",
            "ServerAliveInterval": "10", "ServerAliveCountMax": "3", "LogLevel": "ERROR", "Ciphers": direct["ciphers"],
            "PreferredAuthentications": "publickey", "CheckHostIP": "no",
        }  # fmt: skip
        words = ["ssh", "-F", "/dev/null", "-T", "-p", str(direct["port"]), "-l", direct["user"]]
        words += ["-o%s=%s" % pair for pair in options.items()] + ["--", direct["address"], "receive"]
        environment = {k: v for k, v in os.environ.items() if k != "SSH_AUTH_SOCK"}
        self._errors, pipe = _in_memory(""), subprocess.PIPE
        self._ssh = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=self._errors, env=environment)
        self._far = Wire(os.dup(self._ssh.stdout.fileno()), self._ssh.stdin.fileno())
        self._end = None
        self._patience = threading.Timer(direct["patience_s"], self._ssh.kill)
        self._patience.daemon = True
        self._patience.start()
        self._answers = threading.Thread(target=self._listen, daemon=True)
        self._answers.start()

    def carry(self, sender):
        """Only after the way was said to be open."""
        try:
            _serve(self._wire, sender)
            self.put(b"Q")
        except BrokenPipeError:
            pass  # what the receiver said, tells
        self._answers.join()
        self._ssh.stdin.close()
        code = self._ssh.wait()
        if self._end is None or code:
            raise Cut(self._said() or "ssh %d" % code)

    def put(self, kind, *contents):
        self._far.put(kind, *contents)

    def _listen(self):
        try:
            self._far.say(b"J", do="deliver")
        except BrokenPipeError:
            pass
        kind, _ = self._far.get()
        self._patience.cancel()
        if kind != b"K":
            self._ssh.kill()
            self._ssh.wait()
            self._wire.say(b"R", refused=self._said())
            return
        self._wire.say(b"R")
        while True:
            kind, content = self._far.get()
            if kind == b"E":
                self._wire.put(kind, bytes(content))
                os._exit(1)
            if kind in (None, b"K"):
                self._end = None if kind is None else bytes(content)
                if kind is None:
                    self._ssh.kill()
                return
            self._wire.put(kind, bytes(content))

    def _said(self):
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace").strip()[-400:]


def _in_memory(text):
    if hasattr(os, "memfd_create"):
        kept = os.fdopen(os.memfd_create("govcloud"), "w+b")
        os.fchmod(kept.fileno(), 0o600)
    else:
        import tempfile

        kept = tempfile.TemporaryFile(dir="/dev/shm")
    kept.write(text.encode())
    kept.flush()
    return kept


class Cut(Exception):
    """The connection to the target broke."""


def source_deeds():
    source = Source()
    return {"hello": hello, "list": source.list, "open": source.open, "send": source.send}


def serve(wire, deeds):
    """Answer until nothing more is asked. A deed that returns None answers in its own way."""
    while True:
        kind, content = wire.get()
        if kind is None:
            return 0
        if kind != b"J":
            raise ValueError("not a question: %r" % kind)
        ask = json.loads(bytes(content).decode())
        try:
            answer = deeds[ask["do"]](wire, ask)
            if answer is not None:
                wire.say(b"K", **answer)
        except Cut as error:
            wire.say(b"E", kind="cut", zh="两台主机之间的连接中断：%s" % error, en="The connection between the hosts broke: %s" % error)
            return 1
        except Refused as error:
            wire.say(b"E", kind="refused", zh=error.zh, en=error.en)
            return 1
        except OSError as error:
            wire.say(b"E", kind="system", **_words(error))
            return 1


def _words(error):
    where = escape(os.fsencode(error.filename)) if error.filename is not None else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return {"zh": "磁盘空间不足或超出配额：%s" % (error.strerror or error), "en": "No space left, or over quota: %s" % (error.strerror or error)}
    return {"zh": "%s %s" % (error.strerror or error, where), "en": ("%s %s" % (error.strerror or error, where)).strip()}
