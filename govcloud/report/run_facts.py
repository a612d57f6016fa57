"""What attempts report of themselves, in the order in which a person reads it."""

from __future__ import annotations

from collections.abc import Mapping

from govcloud.model.text import Text, same

DIGEST_CHARS = 16
_FACTS: Mapping[str, Text] = {
    "level": Text("核验级别 {v}", "level {v}"),
    "tables": Text("{v} 张表", "{v} tables"),
    "rows": Text("{v} 行", "{v} rows"),
    "files": Text("{v} 个文件", "{v} files"),
    "sent": Text("传送 {v} 个", "{v} sent"),
    "removed": Text("清除目标多余文件 {v} 个", "{v} left-over files removed from the target"),
    "data_bytes": Text("数据共 {v}", "data {v}"),
    "source_bytes": Text("源文件 {v}", "source files {v}"),
    "bytes": Text("文件 {v}", "files {v}"),
    "database_bytes": Text("数据库 {v}", "database {v}"),
    "sessions_closed": Text("断开 {v} 个数据库会话", "{v} database sessions closed"),
    "http_checks": Text("{v} 项服务检查", "{v} service checks"),
    "database_sha256": Text("数据库摘要 {v}", "database digest {v}"),
}


def told(facts: Mapping[str, int | str]) -> list[Text]:
    """Facts as words; those without words of their own as they are."""
    nothing = {key for key in ("removed", "bytes") if facts.get(key) == 0}
    said = [text.format(v=value(key, facts[key])) for key, text in _FACTS.items() if key in facts.keys() - nothing]
    for key, fact in facts.items():
        if key.startswith("sha256 "):
            name = key.removeprefix("sha256 ")
            said.append(Text("{p} 摘要 {v}", "{p} digest {v}").format(p=name, v=value(key, fact)))
        elif key not in _FACTS:
            said.append(same(f"{key} {value(key, fact)}"))
    return said


def value(key: str, fact: int | str) -> str:
    if isinstance(fact, str):
        return fact[:DIGEST_CHARS]
    if not key.endswith("bytes"):
        return str(fact)
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if fact >= size:
            return f"{fact / size:,.1f} {unit}"
    return f"{fact} B"
