"""Make a workspace for a site."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from govcloud import resources
from govcloud.errors import OutsideError, UsageError
from govcloud.ledger.sm2 import demand_part
from govcloud.model.account import Acting
from govcloud.model.ledger import HashName, LedgerEntry
from govcloud.model.text import Text
from govcloud.settings import FILE, Workspace, load_site, open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.workflow.session import open_session

FOLDERS = ("requests", "migration", "evidence", "reports")


def init_workspace(path: Path, site: str, *, actor: str | Acting, ledger: HashName = "sha256") -> Workspace:
    """A new workspace. `ledger`: how it hashes and signs, for good. Raises UsageError for an unknown site or a folder that is in use already,
    OutsideError where SM2 is asked for and its part is not installed."""
    load_site(site)
    if ledger == "sm3":
        demand_part()
    if (path / FILE).exists():
        raise UsageError(
            Text("这里已有工作区，未改动", "There is a workspace here already; nothing was changed"),
            where=str(path),
            next_step=Text("换一个目录，或直接使用它：-w {path}", "Choose another folder, or use it: -w {path}").format(
                path=path
            ),
        )
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in FOLDERS:
            (path / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        # The settings come last and whole: a folder without them is not a workspace yet.
        temporary = path / (FILE + ".new")
        shutil.copyfile(resources.folder("inventory") / "sites" / f"{site}.yaml", temporary)
        if ledger != "sha256":
            with temporary.open("a", encoding="utf-8") as settings:
                settings.write(f"\nledger: {{profile: {ledger}}}\n")
        os.replace(temporary, path / FILE)  # noqa: PTH105
    except OSError as error:
        raise OutsideError(
            Text("无法建立工作区：{why}", "The workspace can't be made: {why}").format(why=error.strerror or error),
            where=str(path),
            next_step=Text("检查路径、权限和磁盘空间", "Check the path, permissions and disk space"),
        ) from error
    workspace = open_workspace(path)
    with open_session(workspace, actor=actor) as session, session.store.begin() as tx:
        body = {
            "site": site,
            "jurisdiction": list(workspace.settings.jurisdiction),
            "catalog": workspace.settings.catalog,
        }
        ledger_store.append(tx, LedgerEntry(kind="init", actor=session.actor, at=session.now(), body=body))
    return workspace
