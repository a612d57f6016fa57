"""TLS material that a host must have already: there, readable by the right people, in date, key and certificate a pair.

Standard library and the `openssl` program, Python 3.6 or newer. Only public halves and dates leave this file: a private
key is read by openssl alone and never printed.
"""

import calendar
import os
import stat
import subprocess
import time

_PEM_CHARS = 1 << 20


def look(paths, now=None):
    """(problems [{"zh", "en"}], facts {"tls": how many, "tls_days_left": of the first to expire})."""
    now = time.time() if now is None else now
    problems, facts, keys, publics = [], {"tls": len(paths)}, {}, set()

    def problem(zh, en):
        problems.append({"zh": zh, "en": en})

    for path in paths:
        try:
            mode = os.stat(path).st_mode
            with open(path, "rb") as stream:
                text = stream.read(_PEM_CHARS)
        except OSError as error:
            problem("TLS 文件 %s 不可用：%s" % (path, error.strerror), "TLS file %s can't be used: %s" % (path, error.strerror))
            continue
        if not stat.S_ISREG(mode) or not text:
            problem("TLS 文件 %s 为空或不是普通文件" % path, "TLS file %s is empty or no regular file" % path)
            continue
        try:
            if b"PRIVATE KEY-----" in text:
                if mode & 0o007:
                    problem("私钥 %s 的权限为 %04o，其他用户可读写" % (path, stat.S_IMODE(mode)),
                            "Private key %s has mode %04o: others can get at it" % (path, stat.S_IMODE(mode)))  # fmt: skip
                keys[path] = _public_of_key(path)
            if b"BEGIN CERTIFICATE-----" in text:
                for until, public in _certificates(text):
                    publics.add(public)
                    days = int((until - now) // 86400)
                    facts["tls_days_left"] = min(days, facts.get("tls_days_left", days))
                    if until <= now:
                        problem("证书 %s 已于 %s 过期" % (path, _day(until)), "Certificate %s expired on %s" % (path, _day(until)))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            problem("TLS 文件 %s 无法检查：%s" % (path, error), "TLS file %s can't be checked: %s" % (path, error))
    for path, public in sorted(keys.items()):
        if public is None:
            # With a passphrase: that is right, and nothing can be compared.
            facts["tls_keys_not_compared"] = facts.get("tls_keys_not_compared", 0) + 1
        elif public not in publics:
            problem("私钥 %s 与列出的任何证书都不相配" % path, "Private key %s belongs to none of the listed certificates" % path)
    return problems, facts


def _openssl(arguments, give=b""):
    done = subprocess.run(["openssl"] + arguments, input=give, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
    return done.returncode, done.stdout


def _public_of_key(path):
    """Its public half; None when it can't be opened without a passphrase."""
    code, public = _openssl(["pkey", "-in", path, "-passin", "pass:", "-pubout"])
    return public.strip() if code == 0 else None


def _certificates(text):
    """(end of validity, public key) of each certificate of a PEM file."""
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
    for part in text.split(begin)[1:]:
        pem = begin + part.split(end)[0] + end + b"\n"
        code, dates = _openssl(["x509", "-noout", "-enddate"], pem)
        if code != 0 or not dates.startswith(b"notAfter="):
            raise ValueError("openssl x509: exit code %d" % code)
        until = calendar.timegm(time.strptime(dates.decode().strip()[len("notAfter=") :], "%b %d %H:%M:%S %Y GMT"))
        yield until, _openssl(["x509", "-noout", "-pubkey"], pem)[1].strip()


def _day(seconds):
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
