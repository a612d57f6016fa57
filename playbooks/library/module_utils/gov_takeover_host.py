"""What the proofs of a takeover share on a host: the answer with its colours, programs, accounts, sshd's own configuration.
Standard library only, Python 3.6 or newer. Nothing here returns a secret: no hashes, no command lines, no file contents."""

import base64
import hashlib
import os
import pwd
import subprocess

NO_LOGIN = ("nologin", "false", "sync", "halt", "shutdown")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Answer(object):
    """Red and unknown with words in both languages; `facts` are short and for people, `found` is the whole evidence."""

    def __init__(self):
        self._red, self._unknown = [], []
        self.facts, self.found = {}, {}

    def red(self, zh, en):
        self._red.append({"zh": zh, "en": en})

    def unknown(self, zh, en):
        self._unknown.append({"zh": zh, "en": en})

    @property
    def problems(self):
        return self._red + self._unknown

    def gov(self):
        verdict = "red" if self._red else "unknown" if self._unknown else "green"
        return dict({key: str(value)[:500] for key, value in self.facts.items()}, verdict=verdict)


def run(argv, timeout=30, given=None):
    """(exit code, standard output). 127: no such program; 124: it did not end in time. Never raises."""
    environment = dict(os.environ, LC_ALL="C.UTF-8", PATH=os.environ.get("PATH", "") + ":" + _PATH)
    try:
        done = subprocess.run(argv, input=given, stdin=None if given else subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=timeout, env=environment)  # fmt: skip
    except OSError:
        return 127, ""
    except subprocess.TimeoutExpired:
        return 124, ""
    return done.returncode, done.stdout.decode("utf-8", "replace")


def is_root():
    return os.geteuid() == 0


def demand_root(answer):
    if not is_root():
        answer.unknown("登录账户不是 root，看不到其他账户", "The login account is not root: other accounts can't be seen")
    return is_root()


def read_lines(path):
    """None where it can't be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read().splitlines()
    except OSError:
        return None


def accounts():
    """Every account of the host's files, once, with whether its shell lets it in."""
    found = {}
    for entry in pwd.getpwall():
        found.setdefault(entry.pw_name, entry)
    return [(entry, os.path.basename(entry.pw_shell or "sh") not in NO_LOGIN) for entry in found.values()]


def other_sources():
    """Where accounts come from besides the host's files, e.g. ["sss"]: those can't be listed here."""
    for line in read_lines("/etc/nsswitch.conf") or []:
        words = line.split("#")[0].replace("passwd:", "passwd: ").split()
        if words[:1] == ["passwd:"]:
            # `systemd` knows users of running services only, without logins.
            return [word for word in words[1:] if word not in ("files", "compat", "db", "systemd") and not word.startswith("[")]
    return []


def sshd(user="root", address="192.0.2.1"):
    """sshd's own account of its configuration for one user and address: {word: [value, …]}, all lower case words; None
    where it can't be asked. The file is the one that the running server was started with."""
    argv = ["sshd", "-T", "-C", "user=%s,host=%s,addr=%s" % (user, address, address)]
    for words in _sshd_processes():
        if "-f" in words[:-1]:
            argv += ["-f", words[words.index("-f") + 1]]
            break
    code, said = run(argv)
    if code != 0:
        return None
    found = {}
    for line in said.splitlines():
        word, _, value = line.partition(" ")
        found.setdefault(word.lower(), []).append(value.strip())
    return found


def _sshd_processes():
    for _, name, words in processes():
        if name == "sshd" and words and os.path.basename(words[0]) == "sshd":
            yield words


def processes():
    """(pid, name, arguments) of what runs here. The arguments never leave the host."""
    for pid in sorted((p for p in os.listdir("/proc") if p.isdigit()), key=int):
        try:
            with open("/proc/%s/comm" % pid, encoding="utf-8", errors="replace") as stream:
                name = stream.read().strip()
            with open("/proc/%s/cmdline" % pid, "rb") as stream:
                words = [word.decode("utf-8", "replace") for word in stream.read().split(b"\0")[:-1]]
        except OSError:
            continue
        yield int(pid), name, words


def fingerprint(word):
    """`SHA256:…` of a public key in base64; None for what is none. Every SSH key starts with a length: `AAAA`."""
    if not word.startswith("AAAA"):
        return None
    try:
        data = base64.b64decode(word.encode(), validate=True)
    except ValueError:
        return None
    return "SHA256:" + base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def few(words, most=8):
    words = list(words)
    return ", ".join(words[:most]) + (" … (%d)" % len(words) if len(words) > most else "")
