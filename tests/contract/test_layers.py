"""Imports point one way: cli, web, demo → workflow → activities (never each other) → model → standard library."""

from __future__ import annotations

import sys

from sources import Source, sources

ACTIVITIES = {"discovery", "compliance", "planning", "execution", "handover", "ledger"}
# What every layer may use: errors, events, reading of user files, bundled folders, settings, nouns.
FOUNDATION = {"errors", "events", "safe_yaml", "resources", "settings", "access", "model"}
ALLOWED = {
    "": FOUNDATION,
    "model": {"model"},
    **{activity: FOUNDATION | {activity} for activity in ACTIVITIES},
    "store": FOUNDATION | {"store"},
    "report": FOUNDATION - {"settings", "access"} | {"report"},
    "workflow": FOUNDATION | ACTIVITIES | {"workflow", "store", "report"},
    "cli": FOUNDATION | {"cli", "workflow", "report", "web", "demo"},
    "web": FOUNDATION | {"web", "workflow", "report"},
    "demo": FOUNDATION | {"demo", "workflow", "report"},
}
# The modules of activities that talk to a library. All others are pure: same input, same output.
# msgspec is allowed everywhere: it gives the values of a file the types of the model and touches nothing outside.
ADAPTERS = {
    "python_calamine": {"discovery.workbook"},
    "defusedxml": {"discovery.archive"},
    "paramiko": {"discovery.ssh_session", "handover.login"},
    "chinese_calendar": {"compliance.calendar_source"},
    "openstack": {"discovery.openstack", "execution.drivers.openstack"},
    "keystoneauth1": {"discovery.openstack", "execution.drivers.openstack"},
    "boto3": {"discovery.ec2", "execution.drivers.ec2"},
    "botocore": {"discovery.ec2", "execution.drivers.ec2"},
    "ortools": {"planning.scheduling"},
    "numba": {"planning.scheduling"},
    "numpy": {"planning.scheduling"},
    "networkx": {"planning.scheduling"},
    "ansible_runner": {"execution.ansible"},
    "dbos": {"execution.engine"},
    "cryptography": {"ledger.checkpoint", "ledger.sm3", "web.health"},
    "gmssl_pyx": {"ledger.sm2"},
    "argon2": {"workflow.passwords"},
}


def within(module: str, adapter: str) -> bool:
    """An adapter is a module or a package."""
    return module == adapter or module.startswith(adapter + ".")


def layer(module: str) -> str:
    """`govcloud.cli.init` → `cli`; the package itself and its own modules → ``."""
    parts = module.split(".")
    if parts[1:] == ["__main__"]:
        return "cli"
    return parts[1] if len(parts) > 2 or (len(parts) == 2 and parts[1] in ALLOWED) else ""


def first_part(module: str) -> str:
    return module.split(".")[1]


def own_imports(source: Source) -> set[str]:
    """Without the bare package: it holds the version and nothing else."""
    return {name for name in source.imports if name.startswith("govcloud.") and name != "govcloud.__version__"}


def third_party(source: Source) -> set[str]:
    return {name.partition(".")[0] for name in source.imports} - set(sys.stdlib_module_names) - {"govcloud"}


def test_imports_point_downwards() -> None:
    wrong = [
        f"{source.name} imports {name}"
        for source in sources()
        for name in sorted(own_imports(source))
        if first_part(name) not in ALLOWED[layer(source.module)]
    ]
    assert not wrong, "\n".join(wrong)


def test_the_model_needs_the_standard_library_only() -> None:
    model = [s for s in sources() if layer(s.module) == "model"]
    assert len(model) > 5
    assert not {s.name: third_party(s) for s in model if third_party(s)}


def test_an_activity_uses_third_party_code_in_its_adapters_only() -> None:
    wrong = []
    for source in sources():
        if layer(source.module) in ACTIVITIES:
            module = source.module.removeprefix("govcloud.")
            wrong += [
                f"{source.name} imports {name}"
                for name in third_party(source) - {"msgspec"}
                if not any(within(module, adapter) for adapter in ADAPTERS.get(name, ()))
            ]
    assert not wrong, "\n".join(sorted(wrong))


def test_every_adapter_in_the_list_is_one() -> None:
    used = {s.module.removeprefix("govcloud."): third_party(s) for s in sources()}
    idle = [
        f"{adapter}: {library}"
        for library, adapters in ADAPTERS.items()
        for adapter in adapters
        if not any(library in libraries for m, libraries in used.items() if within(m, adapter))
    ]
    assert not idle, f"strike out {idle}"


def test_there_are_no_import_cycles() -> None:
    known = {s.module for s in sources()}
    graph = {s.module: s.imports_at_load & known - {s.module} for s in sources()}
    done: set[str] = set()
    path: list[str] = []

    def visit(module: str) -> None:
        assert module not in path, " → ".join([*path[path.index(module) :], module])
        if module in done:
            return
        path.append(module)
        for name in sorted(graph[module]):
            # A package's __init__ that gathers its own modules is no cycle of meaning.
            if not name.startswith(module + ".") and not module.startswith(name + "."):
                visit(name)
        path.pop()
        done.add(module)

    for module in graph:
        visit(module)
