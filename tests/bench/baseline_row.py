"""What any webhook that loses nothing costs at least: Flask, the signature, one row, one commit. BENCH_DATABASE is a
path (SQLite) or a connection string (PostgreSQL)."""

import base64
import hmac
import json
import os
import sqlite3
import threading
from collections.abc import Callable

import psycopg
from flask import Flask, Response, request

DATABASE = os.environ["BENCH_DATABASE"]
SECRET = os.environ["LINE_CHANNEL_SECRET"].encode()
TABLE = "CREATE TABLE IF NOT EXISTS event (event_id TEXT PRIMARY KEY, body TEXT NOT NULL)"

app = Flask(__name__)
here = threading.local()


def sqlite_store() -> Callable[[str, str], None]:
    """A connection for each thread, prepared as ours are. The lock keeps threads from polling the file's lock: without
    it this baseline would be several times slower."""
    one_writer = threading.Lock()

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(DATABASE, isolation_level=None, timeout=15)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def store(event_id: str, body: str) -> None:
        if not hasattr(here, "connection"):
            here.connection = connect()
        with one_writer:
            here.connection.execute("INSERT INTO event VALUES (?, ?) ON CONFLICT DO NOTHING", (event_id, body))

    connect().execute(TABLE)
    return store


def postgresql_store() -> Callable[[str, str], None]:
    """A connection for each thread; the INSERT is its own transaction."""
    with psycopg.connect(DATABASE, autocommit=True) as first:
        first.execute(TABLE)

    def store(event_id: str, body: str) -> None:
        if not hasattr(here, "connection"):
            here.connection = psycopg.connect(DATABASE, autocommit=True)
        here.connection.execute("INSERT INTO event VALUES (%s, %s) ON CONFLICT DO NOTHING", (event_id, body))

    return store


store = postgresql_store() if DATABASE.startswith("postgresql") else sqlite_store()


@app.post("/webhooks/line")
def receive() -> Response:
    """200 after the commit."""
    body = request.get_data()
    signature = base64.b64encode(hmac.digest(SECRET, body, "sha256")).decode()
    if not hmac.compare_digest(signature, request.headers.get("X-Line-Signature", "")):
        return Response(status=401)
    for event in json.loads(body)["events"]:
        store(event["webhookEventId"], body.decode())
    return Response(status=200)


@app.get("/healthz")
def alive() -> Response:
    """For the bench to wait for."""
    return Response("ok\n")
