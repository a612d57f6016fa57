"""Whose public keys open the accounts of this host: as sshd itself would look them up, for every account."""

import glob
import os

from ansible.module_utils.gov_takeover_host import accounts, demand_root, few, fingerprint, other_sources, read_lines, sshd

_ELSEWHERE = (
    ("authorizedkeyscommand", "公钥另由命令给出（AuthorizedKeysCommand）", "Keys also come from a command (AuthorizedKeysCommand)"),
    ("trustedusercakeys", "证书也可登录（TrustedUserCAKeys）", "Certificates let people in, too (TrustedUserCAKeys)"),
)


def look(given, answer):
    """given: builder_key (one public key line), accepted_keys (fingerprints of the builder's own, declared by him)."""
    ours = fingerprint(given["builder_key"].split()[1])
    wanted = {ours} | set(given.get("accepted_keys") or [])
    answer.found["host_keys"] = host_keys()
    answer.facts["host_keys"] = few(answer.found["host_keys"])
    if not demand_root(answer):
        return
    for source in other_sources():
        answer.unknown("账户还来自 %s，无法逐一列出" % source, "Accounts also come from %s: they can't be listed" % source)
    found, foreign = [], []
    for entry, login in accounts():
        config = sshd(entry.pw_name)
        if config is None:
            answer.unknown("sshd -T 无法执行，不知道公钥放在哪里", "sshd -T can't be run: where the keys are is not known")
            return
        _elsewhere(config, answer)
        for path in key_files(config, entry):
            for key, restricted in keys_of(path):
                found.append({"account": entry.pw_name, "login": login, "file": path, "fingerprint": key, "authority": restricted})
                if key not in wanted or restricted:
                    foreign.append("%s %s" % (entry.pw_name, key))
    answer.found["keys"] = found
    answer.facts.update(accounts=len(accounts()), keys=len(found))
    for line in foreign:
        answer.red("账户仍留有他人公钥：%s" % line, "Somebody else's key is left: %s" % line)
    if ours not in [key["fingerprint"] for key in found]:
        answer.red("没有任何账户装有建设单位的公钥", "No account has the builder's key")


def _elsewhere(config, answer):
    for word, zh, en in _ELSEWHERE:
        if config.get(word, ["none"])[0] != "none" and not any(problem["en"] == en for problem in answer.problems):
            answer.unknown(zh, en)
    if config.get("hostbasedauthentication", ["no"])[0] == "yes" and not any("HostbasedAuthentication" in p["en"] for p in answer.problems):
        answer.red("允许按主机信任登录（HostbasedAuthentication）", "Whole hosts are trusted (HostbasedAuthentication)")


def key_files(config, entry):
    """Where sshd looks for this account's keys (sshd_config: AuthorizedKeysFile, with its tokens)."""
    found = []
    for word in " ".join(config.get("authorizedkeysfile", [])).split():
        if word == "none":
            continue
        for token, value in (("%h", entry.pw_dir), ("%u", entry.pw_name), ("%U", str(entry.pw_uid)), ("%%", "%")):
            word = word.replace(token, value)
        found.append(word if word.startswith("/") else os.path.join(entry.pw_dir, word))
    return list(dict.fromkeys(found))


def keys_of(path):
    """(fingerprint, whether it signs for others) of every key in the file, options before it or not."""
    for line in read_lines(path) or []:
        words = [] if line.lstrip().startswith("#") else line.split()
        for index, word in enumerate(words):
            key = fingerprint(word)
            if key:
                yield key, any("cert-authority" in option for option in words[:index])
                break


def host_keys():
    """`ssh-ed25519 SHA256:…` of what this host shows to those who come."""
    found = []
    for path in sorted(glob.glob("/etc/ssh/ssh_host_*_key.pub")):
        for line in (read_lines(path) or [])[:1]:
            words = line.split()
            if len(words) > 1 and fingerprint(words[1]):
                found.append("%s %s" % (words[0], fingerprint(words[1])))
    return found
