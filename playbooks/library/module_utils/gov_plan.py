"""Compares the source's rows with the tree on the target, and says what is to be sent. Python 3.6 or newer."""

import hashlib
import json
import os
import sys
import threading

from ansible.module_utils.gov_agent import CHUNK, COUNTS, HEADER, SMALL, fields
from ansible.module_utils.gov_manifest import Accounts, Merge, file_digest, rows
from ansible.module_utils.gov_place import Place, alone, bad, clear, make, parents, strange

_WISHES = 128
_AHEAD = 2000


class Plan:
    """Compares the source's rows with the tree as they come, and says what is to be sent."""

    def __init__(self, wire, ask):
        self._wire, self._live, self._owners = wire, ask["live"], ask["owners"]
        self.place = place = Place(ask)
        self.held = alone(place.memory)
        place.own()
        self.resumed = os.path.isdir(place.new)
        for folder in (place.root, place.staging, place.new, place.part):
            make(folder)
        self._accounts, self._ids = Accounts(), set()
        tree = rows(place.root, ask["owners"], not ask["live"], wire.beat, self._accounts)
        # Digests of both sides at the same time; a plain listing is quicker than the thread would be.
        self._tree = Merge(tree if ask["live"] else _ahead(tree))
        self._knows = ask["live"] and os.path.lexists(place.seen)
        self._seen = Merge(_remembered(place.seen) if self._knows else ())
        # What an interrupted pass left is of use only where the source still says the same.
        self._staged = Merge(rows(place.new, False, False, wire.beat) if self.resumed else ())
        self._flat, self._first, self._folders = [], {}, {b""}
        self.extra, self.links, self.repairs = [], [], []
        self.rows = self.wanted = self.bytes = 0

    def read(self, on_ask):
        """`on_ask`: is given what is asked for in between."""
        with open(self.place.seeing, "wb") as memory:
            while True:
                kind, block = self._wire.get()
                if kind == b"l":
                    break
                if kind == b"J":
                    on_ask(json.loads(bytes(block).decode()))
                    continue
                if kind != b"L":
                    sys.exit(1)
                memory.write(HEADER.pack(b"L", len(block)) + block)
                self._block(fields(block))
                self._wire.beat()
        for path, _, _ in self._tree.rest():
            self._surplus(path)
        for path, _, _ in self._staged.rest():
            clear(self.place.staged(path))
        self._wish()

    def _block(self, block):
        tree, seen = self._tree, self._seen
        for path, common, private in block:
            here, before = tree.next, seen.next
            # By far most rows of a later pass: nothing changed on either side since the last one.
            if (
                here is not None and before is not None and here[0] == path == before[0] and here[1] == common
                and before[2] == private and not self.resumed and (common[:1] != b"f" or private.endswith(b" 1"))
            ):  # fmt: skip
                self.rows += 1
                if common[:1] == b"d":
                    self._folders.add(path)
                tree.step()
                seen.step()
            else:
                self._row(path, common, private)

    def _row(self, path, common, private):
        self.rows += 1
        # Sorted, so a folder came before what it holds; with links among the parents a path could lead outside.
        if path and (bad(path) or path.rpartition(b"/")[0] not in self._folders):
            raise strange(path)
        before, here = self._tree.at(path)
        for found, _, _ in before:
            self._surplus(found)
        stale, came = self._staged.at(path)
        for found, _, _ in stale:
            clear(self.place.staged(found))
        kind = common[:1]
        self._known(common.split(b" ", 3)[1 if kind == b"l" else 2])
        if kind == b"d":
            self._folders.add(path)
            if here is None or here[1][:1] != b"d":
                parents(self.place, path + b"/-")
            # Its mode, owner and time are set at the end.
        elif not self._missing(path, common, private, here, came) and came is not None:
            clear(self.place.staged(path))

    def _missing(self, path, common, private, here, came):
        """Whether the staging folder holds it or will; notes what is to be done."""
        kind, seen = common[:1], self._seen.at(path)[1]
        twin = self._twin(path, private) if kind == b"f" else None
        # The same size and time are enough only where nothing else says that the source's file was touched since.
        touched = kind == b"f" and self._knows and (seen is None or seen[2] != private)
        if here is not None and here[1] == common and not touched:
            return False
        if kind == b"l":
            self._link(path, common)
            return True
        if twin is not None:
            self.links.append((path, twin))
            return False
        if here is not None and not self._live and _same_content(here[1], common):
            self.repairs.append((path, common))
            return False
        if came is None or not self._whole(path, common, came):
            self._want(path, common, here)
        return True

    def _known(self, owner):
        if self._owners and owner not in self._ids:
            self._accounts.ids(owner)
            self._ids.add(owner)

    def _twin(self, path, private):
        """An earlier path that is the same file at the source."""
        if private.endswith(b" 1"):
            return None
        inode = private.partition(b" ")[2].rpartition(b" ")[0]
        first = self._first.setdefault(inode, path)
        return None if first == path else first

    def _surplus(self, path):
        if not (self.extra and path.startswith(self.extra[-1] + b"/")):
            self.extra.append(path)

    def _link(self, path, common):
        staged = self.place.staged(path)
        parents(self.place, path)
        clear(staged)
        os.symlink(common.split(b" ", 2)[2], staged)
        if self._owners:
            os.chown(staged, *self._accounts.ids(common.split(b" ", 2)[1]), follow_symlinks=False)
        self.wanted += 1

    def _whole(self, path, common, came):
        """Whether it came as it is now, before a cut."""
        words, ours = common.split(b" "), came[1].split(b" ")
        if ours[0] != b"f" or ours[3:5] != words[3:5]:
            return False
        return len(words) == 5 or file_digest(self.place.staged(path), self._wire.beat).encode() == words[5]

    def _want(self, path, common, here):
        size = int(common.split(b" ", 4)[3])
        hint = b""
        if size > SMALL:
            hint = self._base(path, size, here is not None and here[1][:1] == b"f")
        self.wanted += 1
        self.bytes += size
        self._flat += (path, common, hint)
        if len(self._flat) >= 3 * _WISHES or len(hint) > 1 << 16:
            self._wish()

    def _wish(self):
        if self._flat:
            self._wire.put(b"W", b"\0".join(self._flat))
            self._wire.put(b"A", COUNTS.pack(self.wanted, self.bytes))
            self._flat = []

    def _base(self, path, size, has_old):
        """Digests (16 bytes each, in hexadecimal digits) of the pieces that are here already: as far as an interrupted
        transfer came, then those of the file's present version."""
        found = []
        for name in [self.place.piece_file(path)] + ([self.place.final(path)] if has_old else []):
            try:
                with open(name, "rb") as stream:
                    whole = os.fstat(stream.fileno()).st_size
                    # What an interrupted transfer left counts in whole pieces only.
                    usable = whole // CHUNK * CHUNK if not found and name != self.place.final(path) else whole
                    stream.seek(len(found) * CHUNK)
                    while len(found) * CHUNK < min(usable, size):
                        found.append(hashlib.sha256(stream.read(CHUNK)).hexdigest()[:32])
                        self._wire.beat()
            except FileNotFoundError:
                continue
        return "".join(found).encode()


def _remembered(path):
    try:
        with open(path, "rb") as stream:
            while True:
                head = stream.read(HEADER.size)
                if len(head) < HEADER.size:
                    return
                for row in fields(stream.read(HEADER.unpack(head)[1])):
                    yield row
    except FileNotFoundError:
        return


def _ahead(found):
    """The same items, made in a thread before they are asked for."""
    import queue  # a listing without digests is over before this is imported

    line = queue.Queue(_AHEAD)

    def make_them():
        try:
            for item in found:
                line.put((item, None))
            line.put((None, None))
        except Exception as error:
            line.put((None, error))

    threading.Thread(target=make_them, daemon=True).start()
    while True:
        item, error = line.get()
        if error is not None:
            raise error
        if item is None:
            return
        yield item


def _same_content(ours, theirs):
    a, b = ours.split(b" "), theirs.split(b" ")
    return a[0] == b[0] == b"f" and len(a) == 6 and a[5] == b[5]
