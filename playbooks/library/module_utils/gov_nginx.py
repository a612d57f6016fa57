"""An nginx upstream as an entrance: the servers of one `upstream` block. Standard library only, Python 3.6 or newer.

Only what is needed of the configuration language is parsed: words, quoted strings, comments, `;`, `{` and `}`
(ngx_conf_read_token). A candidate is tested by `nginx -t` with the new file laid over the old one in a mount namespace
of the test's own: the running configuration's folders are never touched before the test has passed.
"""

import os
import re
import shlex
import signal
import subprocess
import tempfile
import time

from ansible.module_utils.gov_entrance_file import EntranceError, demand_writable, read_text, replace_text

_RELOAD_S = 10
# A backslash escapes the next character; a # begins a comment only where a word could begin.
_TOKEN = re.compile(r"""\s+|\#[^\n]*|[;{}]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|\$\{[^}]*\}|[^\s;{}\\"'])(?:\\.|\$\{[^}]*\}|[^\s;{}\\])*""", re.S)
_OVERLAY = 'mount --bind -- "$1" "$2" && shift 2 && exec "$@"'


def tokens(text):
    """(word, start, end) of all words and signs outside comments."""
    position, found = 0, []
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise EntranceError("nginx 配置第 %d 个字符处无法理解" % position, "The nginx configuration can't be read at character %d" % position)
        word = match.group()
        if not word.isspace() and not word.startswith("#"):
            found.append((word, match.start(), match.end()))
        position = match.end()
    return found


def servers(text, name):
    """[(address, start, end, start and end of the whole directive)] of the only `upstream name` block."""
    words = tokens(text)
    blocks = [i for i in range(len(words) - 2)
              if words[i][0] == "upstream" and _bare(words[i + 1][0]) == name and words[i + 2][0] == "{"]  # fmt: skip
    if len(blocks) != 1:
        raise EntranceError("文件中有 %d 个 upstream %s，应恰有一个" % (len(blocks), name),
                            "The file has %d upstream %s, there must be exactly one" % (len(blocks), name))  # fmt: skip
    found, depth, begins, current = [], 1, True, None
    for word, start, end in words[blocks[0] + 3 :]:
        if word in ("{", "}"):
            depth += 1 if word == "{" else -1
            begins = True
            if depth == 0:
                return found
        elif word == ";":
            if current:
                found.append(current[1:] + (current[0], end))
                current = None
            begins = True
        elif begins:
            current = (start,) if word == "server" and depth == 1 else None
            begins = False
        elif current and len(current) == 1:
            current += (_bare(word), start, end)
    raise EntranceError("upstream %s 没有结束" % name, "upstream %s does not end" % name)


def point(text, name, to):
    """The text with these addresses as the block's servers, parameters, comments and everything else as they were."""
    found, wanted = servers(text, name), to.split()
    if not found:
        raise EntranceError("upstream %s 中没有 server" % name, "upstream %s has no server" % name)
    edits = []
    for index, (_, start, end, first, last) in enumerate(found):
        if index >= len(wanted):
            edits.append((first, last, ""))
            continue
        edits.append((start, end, wanted[index]))
        if index == len(found) - 1:
            # More than before: with the parameters of the last one.
            more = [text[first:start] + address + text[end:last] for address in wanted[index + 1 :]]
            edits.append((last, last, "".join("\n    " + line for line in more)))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _bare(word):
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word


class Master(object):
    """A running nginx: its process number and the command line that it was started with."""

    def __init__(self, pid, argv):
        self.pid, self.argv = pid, argv
        self.namespace = _namespace(pid)

    def options(self):
        """-c and -p of its command line, for a test of the same configuration."""
        kept = []
        for flag, value in zip(self.argv[1:], self.argv[2:]):
            if flag in ("-c", "-p"):
                kept += [flag, value]
        return kept

    def workers(self):
        """Process numbers of its workers that take connections."""
        found = set()
        for pid, title in _titles():
            if title.startswith("nginx: worker process") and "shutting down" not in title and _parent(pid) == self.pid:
                found.add(pid)
        return found


def masters():
    found = []
    for pid, title in _titles():
        if title.startswith("nginx: master process ") and _namespace(pid) == _namespace(os.getpid()):
            found.append(Master(pid, shlex.split(title[len("nginx: master process ") :])))
    return found


def _titles():
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/cmdline" % name, "rb") as stream:
                    yield int(name), stream.read().decode("utf-8", "replace").replace("\0", " ").strip()
            except OSError:
                continue


def _parent(pid):
    try:
        with open("/proc/%d/stat" % pid, "rb") as stream:
            return int(stream.read().rpartition(b")")[2].split()[1])
    except OSError:
        return None


def _namespace(pid):
    try:
        return os.readlink("/proc/%d/ns/mnt" % pid)
    except OSError:
        return None


class NginxEntrance(object):
    def __init__(self, spec):
        self.path, self.name = spec["file"], spec["name"]
        self.values = (spec["source"], spec["target"])

    def points_to(self):
        """As the migration file writes it, when the addresses are the same ones in any order."""
        found = sorted(server[0] for server in servers(read_text(self.path), self.name))
        for value in self.values:
            if sorted(value.split()) == found:
                return value
        return " ".join(found)

    def _master(self):
        """The running nginx whose configuration this file is a part of: switching any other would change nothing."""
        real, broken = os.path.realpath(self.path), ""
        for master in masters():
            code, said = _run([_program(master), "-T", "-q"] + master.options())
            parts = re.findall(r"^# configuration file (.*):$", said, re.M)
            if real in [os.path.realpath(part) for part in parts]:
                return master
            broken = said if code != 0 else broken
        if broken:
            raise EntranceError("nginx 现有配置有错：%s" % _line(broken), "nginx's present configuration is broken: %s" % _line(broken))
        raise EntranceError("没有正在运行的 nginx 使用 %s" % self.path, "No running nginx uses %s" % self.path)

    def _test(self, master, candidate):
        with tempfile.NamedTemporaryFile("w", prefix="govcloud-", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(candidate)
            stream.flush()
            os.chmod(stream.name, 0o644)
            code, said = _run(["unshare", "--mount", "--", "sh", "-c", _OVERLAY, "sh", stream.name, os.path.realpath(self.path),
                               _program(master), "-t"] + master.options())  # fmt: skip
        if said.startswith(("unshare:", "mount:")):
            raise EntranceError("候选配置无法测试，需要 root：%s" % _line(said), "The candidate can't be tested, that needs root: %s" % _line(said))
        if code != 0:
            raise EntranceError("nginx 不接受新配置，未作改动：%s" % _line(said), "nginx does not accept the new configuration, nothing was changed: %s" % _line(said))

    def rehearse(self, to):
        demand_writable(self.path)
        self._test(self._master(), point(read_text(self.path), self.name, to))

    def switch(self, to):
        before = read_text(self.path)
        master = self._master()
        if self.points_to() == to:
            # Perhaps the file was written and the reload never came.
            self._reload(master)
            return
        candidate = point(before, self.name, to)
        self._test(master, candidate)
        replace_text(self.path, candidate)
        try:
            self._reload(master)
        except EntranceError:
            replace_text(self.path, before)
            # It kept the old configuration, else its workers would have changed; should it be about to, it comes back.
            os.kill(master.pid, signal.SIGHUP)
            raise

    def _reload(self, master):
        """Returns when every worker that takes connections was started with the new configuration."""
        old = master.workers()
        os.kill(master.pid, signal.SIGHUP)
        deadline = time.monotonic() + _RELOAD_S
        while True:
            now = master.workers()
            if now and not now & old:
                return
            if time.monotonic() > deadline:
                raise EntranceError("nginx 没有换用新配置，见其错误日志", "nginx did not take the new configuration, see its error log")
            time.sleep(0.1)

    def facts(self):
        return {}


def _program(master):
    """The file that runs, not a name that PATH may find elsewhere."""
    try:
        program = os.readlink("/proc/%d/exe" % master.pid)
    except OSError:
        return master.argv[0]
    return master.argv[0] if program.endswith(" (deleted)") else program


def _run(argv):
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EntranceError("%s 无法执行：%s" % (argv[0], error), "%s can't be run: %s" % (argv[0], error))
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _line(text):
    return " ".join(text.split())[-400:]
