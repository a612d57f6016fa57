"""Takes what a Sender (gov_agent.py) sends into the staging folder of a tree. Python 3.6 or newer."""

import errno
import hashlib
import os
import struct
import sys
import time

from ansible.module_utils.gov_agent import CHUNK, COUNTS, ENTER, FILE, HELD, ITEM, LARGE, OWNER, PIECE
from ansible.module_utils.gov_manifest import Accounts, file_digest
from ansible.module_utils.gov_place import bad, clear, damaged, parents, strange


class Receiver:
    """Writes what a Sender sends into the staging folder."""

    def __init__(self, wire, place, owners):
        self._wire, self._place = wire, place
        self._accounts, self._numbers = Accounts() if owners else None, {0: None}
        self._mine = (os.geteuid(), os.getegid())
        self._file = None
        self.files = self.bytes = 0

    def take(self):
        """Until the sender says that there is no more. Raises Refused for damage and for names that aren't allowed."""
        # Modes are given with each file; ours would be taken off them.
        mask = os.umask(0)
        try:
            return self._take()
        finally:
            os.umask(mask)
            os.chdir("/")

    def _take(self):
        deeds = {b"D": self._small, b"F": self._begin, b"C": self._piece, b"H": self._held, b"Z": self._finish}
        told = time.monotonic()
        while True:
            kind, content = self._wire.get()
            if kind == b"Q":
                return {"files": self.files, "bytes": self.bytes}
            if kind is None:
                sys.exit(1)
            deeds[kind](content)
            self.bytes += len(content)
            if time.monotonic() - told > 0.5:
                told = time.monotonic()
                self._wire.put(b"A", COUNTS.pack(self.files, self.bytes))

    def _small(self, content):
        at, end = 0, len(content)
        unpack, width = ITEM.unpack_from, ITEM.size
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        while at < end:
            kind, length, size, mtime, mode, owner, extra = unpack(content, at)
            at += width
            name = bytes(content[at : at + length])
            at += length
            if kind == FILE:
                expected = content[at : at + extra]
                at += extra
                data = content[at : at + size]
                at += size
                if extra and hashlib.sha256(data).digest() != expected:
                    raise damaged(name)
                if b"/" in name or name in (b"", b".", b".."):
                    raise strange(name)
                try:
                    descriptor = os.open(name, flags, mode | 0o200)
                except FileExistsError:
                    clear(name)
                    descriptor = os.open(name, flags, mode | 0o200)
                try:
                    if os.write(descriptor, data) != size:
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    self._dress(descriptor, mode, owner, mtime)
                finally:
                    os.close(descriptor)
                self.files += 1
            elif kind == ENTER:
                os.chdir(parents(self._place, name + b"/-"))
            elif kind == OWNER:
                self._numbers[owner] = self._accounts.ids(name) if self._accounts else None

    def _dress(self, descriptor, mode, owner, mtime):
        """Owner, mode, and last the time: it says that the file is whole."""
        ids = self._numbers[owner]
        if ids is not None and ids != self._mine:
            os.fchown(descriptor, *ids)
            os.fchmod(descriptor, mode)
        elif not mode & 0o200 or mode & 0o6000:
            os.fchmod(descriptor, mode)
        os.utime(descriptor, ns=(mtime, mtime))

    def _begin(self, content):
        length, size, mtime, mode, owner, based, extra = LARGE.unpack_from(content)
        path = bytes(content[LARGE.size : LARGE.size + length])
        digest = bytes(content[LARGE.size + length : LARGE.size + length + extra])
        if bad(path):
            raise strange(path)
        name = self._place.piece_file(path)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | (0 if based else os.O_TRUNC)
        descriptor = os.open(name, flags, 0o600)
        came = os.fstat(descriptor).st_size // CHUNK * CHUNK
        self._file = (path, name, descriptor, came, mtime, mode, owner, digest)
        self._hash, self._next, self._old = (hashlib.sha256() if digest else None), 0, None

    def _piece(self, content):
        (at,) = PIECE.unpack_from(content)
        self._write(at, content[PIECE.size :])

    def _held(self, content):
        at, length = HELD.unpack(content)
        _, _, descriptor, came, _, _, _, _ = self._file
        if at + length <= came:
            self._hash = None  # the whole is read again at the end
            return
        if self._old is None:
            self._old = os.open(self._place.final(self._file[0]), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        data = os.pread(self._old, length, at)
        self._write(at, data)

    def _write(self, at, data):
        descriptor = self._file[2]
        done = 0
        while done < len(data):
            done += os.pwrite(descriptor, data[done:] if done else data, at + done)
        if self._hash is not None:
            if at == self._next:
                self._hash.update(data)
                self._next = at + done
            else:
                self._hash = None

    def _finish(self, content):
        (size,) = struct.unpack(">Q", content)
        path, name, descriptor, _, mtime, mode, owner, digest = self._file
        try:
            os.ftruncate(descriptor, size)
            if digest:
                found = self._hash.digest() if self._hash is not None and self._next == size else bytes.fromhex(file_digest(name, self._wire.beat))
                if found != digest:
                    raise damaged(path)
            os.fchmod(descriptor, mode)
            self._dress(descriptor, mode, owner, mtime)
        finally:
            os.close(descriptor)
            if self._old is not None:
                os.close(self._old)
        parents(self._place, path)
        staged = self._place.staged(path)
        if os.path.isdir(staged) and not os.path.islink(staged):
            clear(staged)
        os.replace(name, staged)
        self.files += 1
