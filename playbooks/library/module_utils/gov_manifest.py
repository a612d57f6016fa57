"""Directory manifests and staged file copies on one host. Standard library only, Python 3.8 or newer.

Imported by our Ansible modules, and run as `python3 -c <this text> ACTION JSON` at the far end of an SSH pipe.
A manifest line is `kind mode size digest path` (blank separated, path last): kind f, d or l; mode octal; digest the
SHA-256 of a file's content or of a link's target. Names are percent-escaped where they can't be printed (GBK names).
"""

import hashlib
import json
import os
import shutil
import stat
import sys
from urllib.parse import quote, unquote_to_bytes


def escape(name):
    return "".join(
        c if c.isprintable() and c != "%" else quote(c.encode("utf-8", "surrogateescape")) for c in os.fsdecode(name)
    )


def unescape(text):
    return unquote_to_bytes(text)


def manifest_lines(root):
    """Yield the lines of a tree, sorted by name. A missing root yields nothing; devices and pipes raise ValueError."""
    top = os.fsencode(root)
    if not os.path.lexists(top):
        return
    if not os.path.isdir(top) or os.path.islink(top):
        raise ValueError("not a directory: " + root)
    yield from _walk(top, b"")


def _walk(top, relative):
    here = os.path.join(top, relative) if relative else top
    for name in sorted(os.listdir(here)):
        path = os.path.join(relative, name) if relative else name
        full = os.path.join(top, path)
        try:
            found = os.lstat(full)
        except FileNotFoundError:
            continue  # removed by a source that is still serving
        mode = "%04o" % stat.S_IMODE(found.st_mode)
        if stat.S_ISREG(found.st_mode):
            try:
                size, digest = _digest(full)
            except FileNotFoundError:
                continue
            yield " ".join(("f", mode, str(size), digest, escape(path)))
        elif stat.S_ISLNK(found.st_mode):
            digest = hashlib.sha256(os.readlink(full)).hexdigest()
            yield " ".join(("l", "-", "0", digest, escape(path)))
        elif stat.S_ISDIR(found.st_mode):
            yield " ".join(("d", mode, "0", "-", escape(path)))
            yield from _walk(top, path)
        elif not stat.S_ISSOCK(found.st_mode):
            raise ValueError("neither file, directory nor link: " + escape(full))


def _digest(path):
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as stream:
        while True:
            block = stream.read(1 << 20)
            if not block:
                return size, digest.hexdigest()
            digest.update(block)
            size += len(block)


def check_owner(marker, system_id, run_id):
    """Only a copy that this run made may be changed: the marker on the target says whose it is."""
    with open(marker, encoding="utf-8") as stream:
        found = json.load(stream)
    if (found.get("system_id"), found.get("run_id")) != (system_id, run_id):
        raise ValueError("the marker names another copy: %s %s" % (found.get("system_id"), found.get("run_id")))


def stage(target, suffix):
    """An empty directory beside the target. Left-overs of earlier attempts of this copy are removed."""
    parent, name = os.path.split(target)
    os.makedirs(parent, exist_ok=True)
    prefix = name + ".govcloud-partial-"
    for entry in os.listdir(parent):
        if entry.startswith(prefix):
            shutil.rmtree(os.path.join(parent, entry))
    partial = os.path.join(parent, prefix + suffix)
    os.mkdir(partial, 0o700)
    return partial


def promote(partial, target, expected, extra):
    """Move what was staged to its final names, after each file's digest was checked; then remove what the source lacks.

    `expected`: escaped path -> (kind, mode, digest); `extra`: escaped paths, children before parents.
    Returns how many entries were put in place.
    """
    os.makedirs(target, exist_ok=True)
    for path in extra:
        _remove(os.path.join(os.fsencode(target), unescape(path)))
    directories = []
    for path, (kind, mode, digest) in sorted(expected.items(), key=lambda item: unescape(item[0])):
        old, new = (os.path.join(os.fsencode(base), unescape(path)) for base in (partial, target))
        # Empty digest: the source is serving and may have changed or removed it; the frozen pass is exact.
        if not digest and not os.path.lexists(old):
            continue
        if kind == "d":
            if not os.path.isdir(new) or os.path.islink(new):
                _remove(new)
                os.mkdir(new)
            shutil.copystat(old, new)
            directories.append((new, int(mode, 8)))
            continue
        if kind == "f" and digest and _digest(old)[1] != digest:
            raise ValueError("arrived damaged: " + path)
        if os.path.isdir(new) and not os.path.islink(new):
            _remove(new)
        os.replace(old, new)
    for new, mode in reversed(directories):
        os.chmod(new, mode)
    shutil.rmtree(partial)
    os.sync()
    return len(expected)


def _remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def main(action, arguments):
    if action == "manifest":
        for line in manifest_lines(arguments["root"]):
            sys.stdout.write(line + "\n")
    elif action == "stage":
        check_owner(arguments["marker"], arguments["system_id"], arguments["run_id"])
        print(stage(arguments["target"], arguments["suffix"]))
    elif action == "promote":
        check_owner(arguments["marker"], arguments["system_id"], arguments["run_id"])
        lists = json.load(sys.stdin)
        print(promote(arguments["partial"], arguments["target"], lists["expected"], lists["extra"]))
    else:
        raise ValueError("no such action: " + action)


if __name__ == "__main__":
    try:
        main(sys.argv[1], json.loads(sys.argv[2]))
    except (OSError, ValueError) as problem:
        sys.exit("govcloud: %s" % problem)
