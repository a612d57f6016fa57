"""Entrances that are files: read them, replace them in one step. Standard library only, Python 3.6 or newer.

Every kind of entrance has the same four methods: `points_to()` says where it points now, `rehearse(to)` tests the change
to `to` and changes nothing, `switch(to)` makes it, `facts()` tells what a person should know. They raise EntranceError.
"""

import json
import os
import shutil
import tempfile


class EntranceError(Exception):
    """`zh` and `en` are for a person."""

    def __init__(self, zh, en):
        Exception.__init__(self, en)
        self.zh, self.en = zh, en


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read()
    except OSError as error:
        raise EntranceError("入口文件 %s 无法读取：%s" % (path, error), "The entrance's file %s can't be read: %s" % (path, error))


def replace_text(path, text):
    """In one step, with mode, owner and labels kept; a link stays a link. Never a second file in the folder afterwards:
    daemons read whole folders."""
    real = os.path.realpath(path)
    try:
        found = os.stat(real)
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(real), prefix=".govcloud-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            shutil.copystat(real, temporary)
            if os.geteuid() == 0:
                os.chown(temporary, found.st_uid, found.st_gid)
            os.replace(temporary, real)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise EntranceError("入口文件 %s 无法改写：%s" % (path, error), "The entrance's file %s can't be replaced: %s" % (path, error))


def demand_writable(path):
    folder = os.path.dirname(os.path.realpath(path))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise EntranceError("目录 %s 不可写，入口文件无法改写" % folder, "The folder %s is not writable, the entrance's file can't be replaced" % folder)


class JsonEntrance(object):
    """`{name: url}`."""

    def __init__(self, spec):
        self.path, self.name = spec["file"], spec["name"]

    def _load(self):
        try:
            found = json.loads(read_text(self.path))
            if not isinstance(found, dict):
                raise ValueError("not an object")
        except ValueError as error:
            raise EntranceError("入口文件 %s 不是 JSON 对象：%s" % (self.path, error), "%s is no JSON object: %s" % (self.path, error))
        return found

    def points_to(self):
        return self._load().get(self.name)

    def rehearse(self, to):
        demand_writable(self.path)

    def switch(self, to):
        upstreams = self._load()
        if upstreams.get(self.name) == to:
            return
        upstreams[self.name] = to
        replace_text(self.path, json.dumps(upstreams, ensure_ascii=False, indent=2) + "\n")

    def facts(self):
        return {}
