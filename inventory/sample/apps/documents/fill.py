"""fill.py ROWS MEGABYTES: gives a new installation its documents and attachments. Runs once, when there are none.

The same arguments give the same content, so that two labs can be compared.
"""

from __future__ import annotations

import hashlib
import random
import sys
from datetime import datetime, timedelta, timezone

from main import BASE, SCHEMA, SETTINGS, connect

SUBJECTS = (
    "道路养护",
    "节假日值班",
    "网络安全检查",
    "政务公开",
    "年度预算",
    "档案移交",
    "防汛准备",
    "会议安排",
    "设备更新",
    "来信办理",
)
ACTIONS = ("关于做好{}工作的通知", "关于{}情况的报告", "关于{}有关事项的请示", "{}工作会议纪要", "关于{}的复函")
FILES_PER_FOLDER = 20


def main() -> None:
    rows, megabytes = int(sys.argv[1]), int(sys.argv[2])
    made = random.Random(SETTINGS["database"])  # noqa: S311 - sample content, not a secret
    with connect() as db:
        db.execute(SCHEMA)
        found = db.execute("SELECT count(*) AS n FROM document").fetchone()
        if found and found["n"]:
            return
        start = datetime(2019, 3, 1, 8, tzinfo=timezone(timedelta(hours=8)))
        with db.cursor().copy(
            "COPY document (id, number, title, body, urgency, amount, received_at) FROM STDIN"
        ) as out:
            for i in range(1, rows + 1):
                title = made.choice(ACTIONS).format(made.choice(SUBJECTS))
                amount = None if i % 7 else made.randrange(10**7) / 100
                out.write_row(
                    (
                        i,
                        f"示例{SETTINGS['kind']}〔{2019 + i % 6}〕{i}号",
                        title,
                        f"{title}。\n" * (1 + i % 9),
                        made.choice(("平件", "急件", "特急")),
                        amount,
                        start + timedelta(minutes=37 * i),
                    )
                )
        db.execute("ALTER TABLE document ALTER COLUMN id RESTART WITH " + str(rows + 1))
        size = megabytes * 2**20 // (FILES_PER_FOLDER * len(SETTINGS["folders"]))
        for folder in SETTINGS["folders"]:
            (BASE / folder / "扫描件").mkdir(parents=True, exist_ok=True)
            for k in range(FILES_PER_FOLDER):
                path = f"{folder}/扫描件/附件 {k + 1:02}.pdf"
                content = made.randbytes(size + 101 * k)
                (BASE / path).write_bytes(content)
                db.execute(
                    "INSERT INTO attachment (document_id, path, bytes, sha256) VALUES (%s, %s, %s, %s)",
                    (1 + k, path, len(content), hashlib.sha256(content).hexdigest()),
                )


main()
