"""A backup agent that nobody wrote down: it keeps one connection to another department's database open."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psycopg

BASE = Path(__file__).resolve().parent.parent


def main() -> None:
    ready = BASE / "run" / "ready"
    while True:
        try:
            with psycopg.connect(
                host=os.environ["DB_HOST"],
                port=int(os.environ.get("DB_PORT", "5432")),
                dbname=os.environ["DB_NAME"],
                user="backup",
                password=(BASE / "db.pass").read_text("utf-8").strip(),
                connect_timeout=3,
                application_name="backup-agent",
                autocommit=True,
            ) as db:
                ready.touch()
                while True:
                    db.execute("SELECT count(*) FROM document")
                    time.sleep(20)
        except psycopg.Error:
            ready.touch()  # it goes on trying, as the real ones do; that is not a failed start
            time.sleep(1)


if __name__ == "__main__":
    main()
