"""Container engine and running containers, where the account may ask the engine."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.model.observation import Value

NAME = "containers"
FIELDS = ("container_engine", "containers")
FILES = ()
# A hung engine must not cost the host's other facts: 5 s, where there is a `timeout`.
COMMAND = (
    "e=none; for p in docker:/var/run/docker.sock isula:/var/run/isulad.sock; do s=${p#*:}; "
    '[ $e = none ] && [ -S $s ] && { e=${p%%:*}; [ -w $s ] || echo "? right containers"; }; done; '
    "if [ $e = none ]; then [ -S /run/containerd/containerd.sock ] && e=containerd; "
    "[ $e = none ] && command -v podman >/dev/null && e=podman; fi; echo engine $e; T=; "
    "[ $e = none ] || { command -v timeout >/dev/null && timeout -s KILL 1 true 2>/dev/null && T='timeout -s KILL 5'; }; "
    'case $e in docker|isula|podman) $T $e ps --format "$e {{.Image}} {{.Names}}" && echo asked;; '
    'containerd) if [ ! -w /run/containerd/containerd.sock ]; then echo "? right containers"; '
    'elif command -v crictl >/dev/null; then $T crictl ps && echo asked; else echo "? command containers"; fi;; none) echo asked;; esac'
)

_ENGINE = re.compile(r"^engine (docker|isula|containerd|podman|none)$", re.M)
_NAMED = re.compile(r"^(docker|isula|podman) (\S{1,200}) (\S{1,200})$", re.M)
_CRI = re.compile(r"^[0-9a-f]{12,64} +(\S{1,200}) .* Running +(\S{1,200}) ", re.M)


def parse(text: str) -> Mapping[str, Value]:
    engine = _ENGINE.search(text)
    if engine is None:
        return {}
    fields: dict[str, Value] = {"container_engine": engine[1]}
    if re.search(r"^asked$", text, re.M):
        running = {" ".join(found) for found in _NAMED.findall(text)}
        running |= {f"containerd {image} {name}" for image, name in _CRI.findall(text)}
        fields["containers"] = tuple(sorted(running))
    return fields
