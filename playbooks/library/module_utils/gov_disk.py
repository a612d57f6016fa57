"""A source's disk, only ever read: runs there as `python3 -c TEXT survey|read|digest PATH [OFFSET]`."""

from __future__ import print_function

import hashlib
import json
import os
import stat
import subprocess
import sys

BLOCK = 1 << 20


def devices(number):
    """The device and everything that lies on it: partitions, and what LVM, RAID or encryption made of them."""
    found, waiting = set(), [number]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        place = os.path.realpath("/sys/dev/block/" + one)
        inner = [os.path.join(place, name) for name in os.listdir(place)] if os.path.isdir(place) else []
        holders = os.path.join(place, "holders")
        if os.path.isdir(holders):
            inner += [os.path.join(holders, name) for name in os.listdir(holders)]
        for folder in inner:
            file = os.path.join(folder, "dev")
            if os.path.basename(folder) != "device" and os.path.isfile(file):
                with open(file) as stream:
                    waiting.append(stream.read().strip())
    return found


def written_by(number):
    """Mount points through which somebody may write to it."""
    mine, found = devices(number), []
    with open("/proc/self/mountinfo") as stream:
        for line in stream:
            words = line.split()
            if words[2] in mine and "rw" in words[5].split(",") and "rw" in words[-1].split(","):
                found.append(words[4])
    return sorted(set(found))


def is_snapshot(path):
    try:
        with open(os.devnull, "w") as nowhere:
            told = subprocess.check_output(["dmsetup", "table", path], stderr=nowhere)
    except (OSError, subprocess.CalledProcessError):
        return False
    return any(line.split()[2:3] == [b"snapshot"] for line in told.splitlines())


def survey(path):
    real = os.path.realpath(path)
    found = os.stat(real)
    if stat.S_ISBLK(found.st_mode):
        number = "%d:%d" % (os.major(found.st_rdev), os.minor(found.st_rdev))
        with open(real, "rb") as disk:
            size = disk.seek(0, os.SEEK_END)
        kind, mounts = "block", written_by(number)
    elif stat.S_ISREG(found.st_mode):
        kind, mounts, size = "file", [], found.st_size
    else:
        sys.exit("neither a block device nor a file: " + path)
    return {"path": real, "kind": kind, "bytes": size, "mounted": mounts, "snapshot": kind == "block" and is_snapshot(real)}


def blocks(path, offset):
    """What is read does not stay in the memory of a machine that serves."""
    with open(path, "rb", buffering=0) as disk:
        disk.seek(offset)
        while True:
            block = disk.read(BLOCK)
            if not block:
                return
            yield block
            offset += len(block)
            if hasattr(os, "posix_fadvise") and offset % (64 * BLOCK) == 0:
                os.posix_fadvise(disk.fileno(), 0, offset, os.POSIX_FADV_DONTNEED)


def main(action, path, offset="0"):
    if action == "survey":
        print(json.dumps(survey(path)))
    elif action == "read":
        with os.fdopen(1, "wb", 0) as out:
            for block in blocks(path, int(offset)):
                view = memoryview(block)
                while view:
                    view = view[out.write(view):]
    else:
        digest = hashlib.sha256()
        for number, block in enumerate(blocks(path, 0)):
            digest.update(block)
            if number % 256 == 255:
                print(".", flush=True)
        print(digest.hexdigest(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
