"""A hosts file (hosts(5)) as an entrance: the address that one name has in it. Standard library only, Python 3.6 or newer."""

from ansible.module_utils.gov_entrance_file import EntranceError, demand_writable, read_text, replace_text


def _words(line):
    return line.split("#", 1)[0].split()


def addresses(text, name):
    """The addresses of the name, in order; names are compared without case, as resolvers do."""
    found = []
    for line in text.splitlines():
        words = _words(line)
        if name.lower() in [word.lower() for word in words[1:]]:
            found.append(words[0])
    return found


def point(text, name, to):
    """The text with the name at address `to`, and every other name and comment where it was."""
    made = []
    for line in text.splitlines(True):
        words = _words(line)
        names = [word for word in words[1:] if word.lower() == name.lower()]
        if not names or words[0] == to:
            made.append(line)
            continue
        others = [word for word in words[1:] if word not in names]
        body, mark, comment = line.rstrip("\r\n").partition("#")
        ending = line[len(line.rstrip("\r\n")) :] or "\n"
        if not others:
            # Only the address changes: the line keeps its blanks and its comment.
            made.append(line.replace(words[0], to, 1) if line.endswith(ending) else line.replace(words[0], to, 1) + ending)
            continue
        made.append("%s\t%s%s%s" % (words[0], " ".join(others), " #" + comment if mark else "", ending))
        made.append("%s\t%s%s" % (to, " ".join(names), ending))
    return "".join(made)


class HostsEntrance(object):
    def __init__(self, spec):
        self.path, self.name = spec["file"], spec["name"]

    def points_to(self):
        found = sorted(set(addresses(read_text(self.path), self.name)))
        if len(found) > 1:
            raise EntranceError("%s 中 %s 有多个地址：%s" % (self.path, self.name, ", ".join(found)),
                                "%s gives %s several addresses: %s" % (self.path, self.name, ", ".join(found)))  # fmt: skip
        return found[0] if found else None

    def rehearse(self, to):
        text = read_text(self.path)
        demand_writable(self.path)
        candidate = point(text, self.name, to)
        if set(addresses(candidate, self.name)) != {to}:
            raise EntranceError("%s 无法改写为 %s" % (self.path, to), "%s can't be rewritten to %s" % (self.path, to))

    def switch(self, to):
        text = read_text(self.path)
        candidate = point(text, self.name, to)
        if candidate != text:
            replace_text(self.path, candidate)

    def facts(self):
        return {}
