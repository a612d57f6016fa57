"""Directory trees as rows, on one host. Standard library only, Python 3.6 or newer; read with the right to read everything.

A row is (path, common, private), all bytes. path: relative, `` for the tree itself. common, what source and target must
have alike: `f MODE OWNER SIZE MTIME_NS[ SHA256]`, `d MODE OWNER` or `l OWNER GOAL`; MODE is octal, OWNER `user:group` by
name where the host knows one, or `-`. private, what shows that something was changed here though size and time are the
same: `CTIME_NS INODE DEVICE LINKS` of a file, `MTIME_NS` of a directory. Rows come sorted by key(path): a directory before
what it holds.
"""

import errno
import grp
import hashlib
import os
import pwd
import stat

from ansible.module_utils.gov_marker_file import Refused

STAGING = b".govcloud-partial"
"""Folder inside a target in which what arrives lies until it is whole."""
_NOT_CONTENT = (STAGING, b"lost+found")
SHOWN = 20
_BLOCK = 1 << 20


def escape(path):
    """Names of any encoding (old Windows shares: GBK) as text on one line; readable ones stay as they are."""
    return "".join(
        c if c.isprintable() and c != "%" else "".join("%%%02X" % byte for byte in c.encode("utf-8", "surrogateescape"))
        for c in os.fsdecode(path)
    )


def key(path):
    return path.replace(b"/", b"\0")


def names(paths):
    """The first few for a message, and how many more."""
    more = "" if len(paths) <= SHOWN else " … (%d)" % len(paths)
    return ", ".join(escape(path) or "." for path in paths[:SHOWN]) + more


class Accounts:
    """Owners by name: the same account may have another number on the other host."""

    def __init__(self):
        self._shown, self._ids = {}, {}

    def of(self, uid, gid):
        try:
            return self._shown[uid, gid]
        except KeyError:
            pair = [str(uid), str(gid)]
            for at, ask in enumerate((lambda: pwd.getpwuid(uid).pw_name, lambda: grp.getgrgid(gid).gr_name)):
                try:
                    pair[at] = ask()
                except KeyError:
                    continue
            self._shown[uid, gid] = found = ":".join(pair).encode("utf-8", "surrogateescape")
            return found

    def ids(self, owner):
        """Numbers on this host. Raises Refused for an account that isn't here, or a number that is somebody else's."""
        if owner not in self._ids:
            user, _, group = owner.decode("utf-8", "surrogateescape").partition(":")
            try:
                uid = int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid
                gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
            except KeyError:
                raise Refused(
                    "目标主机没有账户或组 %s：请先建立，再继续" % owner.decode("utf-8", "replace"),
                    "The target has no such account or group: %s. Create it there, then go on" % owner.decode("utf-8", "replace"),
                )
            if self.of(uid, gid) != owner:
                raise Refused(
                    "源上的属主 %s 在目标上是 %s：请先统一账户编号" % (owner.decode(), self.of(uid, gid).decode()),
                    "The owner %s of the source is %s on the target: make the account numbers agree first"
                    % (owner.decode(), self.of(uid, gid).decode()),
                )
            self._ids[owner] = (uid, gid)
        return self._ids[owner]


def rows(root, owners, digests, beat, accounts=None):
    """Yield the rows of a tree; nothing where it isn't there. `owners`: with names; `digests`: with the content's SHA-256.

    Raises Refused for devices, pipes and what can't be read. `beat` is called now and then while nothing is yielded.
    """
    accounts = accounts or Accounts()
    try:
        top = os.lstat(root)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(top.st_mode):
        raise Refused("不是目录：%s" % escape(root), "Not a directory: %s" % escape(root))
    yield b"", _directory(top, accounts if owners else None), b"%d" % top.st_mtime_ns
    unreadable = []
    shown = accounts.of if owners else lambda uid, gid: b"-"
    stack = [iter(_folder(root, b"", unreadable))]
    while stack:
        for _, path, found in stack[-1]:
            mode = found.st_mode
            # Compared by hand: this line and the next are run once for every file of an estate.
            if mode & 0o170000 == 0o100000:
                common = b"f %o %s %d %d" % (mode & 0o7777, shown(found.st_uid, found.st_gid), found.st_size, found.st_mtime_ns)
                if digests:
                    digest = _try(lambda: file_digest(root + b"/" + path, beat), path, unreadable)
                    if digest is None:
                        continue
                    common += b" " + digest.encode()
                yield path, common, b"%d %d %d %d" % (found.st_ctime_ns, found.st_ino, found.st_dev, found.st_nlink)
            elif stat.S_ISDIR(mode):
                yield path, _directory(found, accounts if owners else None), b"%d" % found.st_mtime_ns
                stack.append(iter(_folder(root, path, unreadable)))
                break
            elif stat.S_ISLNK(mode):
                goal = _try(lambda: os.readlink(root + b"/" + path), path, unreadable)
                if goal is not None:
                    yield path, b"l %s %s" % (shown(found.st_uid, found.st_gid), goal), b""
            elif not stat.S_ISSOCK(mode):
                # A socket is made anew by its program; a pipe or device has no content that could be copied.
                raise Refused("既不是文件、目录也不是链接：%s" % escape(path), "Neither file, directory nor link: %s" % escape(path))
        else:
            stack.pop()
        beat()
    if unreadable:
        raise Refused("没有读取权限：%s" % names(unreadable), "Not readable: %s" % names(unreadable))


def _directory(found, accounts):
    return b"d %o %s" % (found.st_mode & 0o7777, accounts.of(found.st_uid, found.st_gid) if accounts else b"-")


def _folder(root, path, unreadable):
    """Its entries, sorted: (name, relative path, lstat)."""
    before = path + b"/" if path else b""

    def read():
        found = []
        with os.scandir(root + b"/" + path if path else root) as entries:
            for entry in entries:
                try:
                    found.append((entry.name, before + entry.name, entry.stat(follow_symlinks=False)))
                except FileNotFoundError:
                    continue  # removed by a source that is still serving
        return found

    found = _try(read, path, unreadable) or []
    found.sort()
    return found if path else [entry for entry in found if entry[0] not in _NOT_CONTENT]


def _try(read, path, unreadable):
    try:
        return read()
    except PermissionError:
        unreadable.append(path)
    except (FileNotFoundError, NotADirectoryError):
        pass  # removed by a source that is still serving
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EINVAL):  # a file became a link, or the other way round
            raise
    return None


_quiet = [getattr(os, "O_NOATIME", 0)]


def open_quietly(path, flags=0):
    """For reading, without leaving a trace in the access time where that is allowed; never through a link."""
    flags |= os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags | _quiet[0])
    except PermissionError as error:
        if error.errno != errno.EPERM:
            raise
        _quiet[0] = 0  # only an owner or root may leave it
        return os.open(path, flags)


def file_digest(path, beat=lambda: None):
    """SHA-256 in hexadecimal digits of a file's content."""
    digest = hashlib.sha256()
    descriptor = open_quietly(path)
    try:
        while True:
            block = os.read(descriptor, _BLOCK)
            if not block:
                return digest.hexdigest()
            digest.update(block)
            beat()
    finally:
        os.close(descriptor)


class Merge:
    """Two sorted sequences of rows side by side: for each row of `ours`, the rows of `other` before it and the equal one."""

    def __init__(self, other):
        self._other = iter(other)
        self.next = next(self._other, None)

    def step(self):
        self.next = next(self._other, None)

    def at(self, path):
        """(rows of `other` that come before path, its row for path or None)"""
        before = []
        here = key(path)
        while self.next is not None and self.next[0] != path and key(self.next[0]) < here:
            before.append(self.next)
            self.step()
        if self.next is None or self.next[0] != path:
            return before, None
        found = self.next
        self.step()
        return before, found

    def rest(self):
        while self.next is not None:
            yield self.next
            self.step()
