"""A department's web application: records in a database, each with an uploaded file. It acknowledges what it has made durable.

POST /records `{"id", "text"}` -> 201 when the row is committed and the file is on the disk; GET /ids -> `{id: sha256}` of all
rows; GET /selftest -> 200 when every row has its file with the right content; GET /health. A database that is away or takes no
writes is 503. Every answer names the machine in X-Served-By. Settings come from the environment (records.env).
"""

import contextlib
import hashlib
import json
import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDERS = [Path(folder) for folder in os.environ["UPLOADS"].split(":")]


def connect():
    password = Path(os.environ["PASSWORD_FILE"]).read_text("utf-8").strip()
    where = {"host": "127.0.0.1", "user": os.environ["DB_USER"], "password": password, "connect_timeout": 3}
    if os.environ["KIND"] == "postgresql":
        import psycopg2

        return psycopg2.connect(dbname=os.environ["DB_NAME"], **where)
    import pymysql

    return pymysql.connect(database=os.environ["DB_NAME"], charset="utf8mb4", **where)


def place(name):
    return FOLDERS[int(hashlib.sha256(name.encode()).hexdigest(), 16) % len(FOLDERS)] / name


def keep(name, text):
    """The file first: a row without its file would be a lie, a file without its row is only litter."""
    data = text.encode()
    path = place(name)
    new = path.with_name(f".{name}.new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO records (id, text, sha256) VALUES (%s, %s, %s)", (name, text, hashlib.sha256(data).hexdigest())
        )
        connection.commit()


def rows():
    with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, sha256 FROM records")
        return dict(cursor.fetchall())


def is_whole(name, sha256):
    try:
        return hashlib.sha256(place(name).read_bytes()).hexdigest() == sha256
    except OSError:
        return False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(self.look)

    def do_POST(self):
        self.answer(self.take)

    def look(self):
        if self.path == "/health":
            with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return 200, {"ok": True}
        if self.path == "/ids":
            return 200, rows()
        if self.path == "/selftest":
            broken = sorted(name for name, sha256 in rows().items() if not is_whole(name, sha256))
            return (503 if broken else 200), {"ok": not broken, "broken": broken[:5], "多少": len(broken)}
        return 404, {}

    def take(self):
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        keep(given["id"], given["text"])
        return 201, {"id": given["id"]}

    def answer(self, act):
        try:
            status, body = act()
        except Exception as error:
            status, body = 503, {"ok": False, "error": str(error)}
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Served-By", socket.gethostname())
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *args):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Handler).serve_forever()
