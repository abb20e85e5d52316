"""Asks the database of a measured service what the service does not tell, and fills it.

    ask_database.py DATABASE_URL size                bytes on the disk
    ask_database.py DATABASE_URL entries             entries with a position in the record
    ask_database.py DATABASE_URL queue               entries without one
    ask_database.py DATABASE_URL watch SECONDS       the most entries that were without one at a time
    ask_database.py DATABASE_URL unchecked           commands whose car is still to be looked at
    ask_database.py DATABASE_URL fill GRANTS         adds copies of the grants until there are so many
    ask_database.py DATABASE_URL sample COUNT        ids of so many grants, spread over all of them
    ask_database.py DATABASE_URL lend GRANTS EMAIL   adds copies of a person's grants until so many are alive

A PostgreSQL is asked with psql from the folder in PG_BIN.
"""

import os
import sqlite3
import subprocess
import sys
import time
import uuid

# Eight bytes of time, two ids and a hash for each entry of a row.
QUEUE = "SELECT COALESCE(SUM(LENGTH(entries)) / 72, 0) FROM record_queue"
ENTRIES = "SELECT size FROM record_state"
UNCHECKED = "SELECT COUNT(*) FROM commands WHERE check_at IS NOT NULL"
COPIED = (
    "organization_id, vehicle_id, issuer_id, grantee_id, entitlements, not_before, not_after, uses_max, "
    "uses, grace_minutes, grantee_recoveries, vehicle_consents, ended_at, end_reason, end_note, revision, label, metadata, issued_at"
)
OF_PERSON = "AND grantee_id = (SELECT user_id FROM users WHERE email = '%s')"
BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"


class Sqlite:
    random_id = "randomblob(16)"

    def __init__(self, url):
        self.path = url.removeprefix("sqlite:")

    def connect(self):
        return sqlite3.connect(self.path, timeout=30)

    def number(self, sql):
        connection = self.connect()
        try:
            return int(connection.execute(sql).fetchone()[0])
        finally:
            connection.close()

    def execute(self, sql):
        with self.connect() as connection:
            connection.execute(sql)
        connection.close()

    def ids(self, sql):
        connection = self.connect()
        try:
            return [bytes(row[0]) for row in connection.execute(sql)]
        finally:
            connection.close()

    def size(self):
        files = [self.path + suffix for suffix in ("", "-wal")]
        return sum(os.path.getsize(file) for file in files if os.path.exists(file))


class Postgres:
    random_id = "gen_random_uuid()"

    def __init__(self, url):
        self.url = url

    def ask(self, sql):
        psql = os.path.join(os.environ["PG_BIN"], "psql")
        command = [psql, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", self.url]
        asked = subprocess.run(command + ["--command", sql], check=True, capture_output=True, text=True)
        return asked.stdout.split()

    def number(self, sql):
        return int(self.ask(sql)[0])

    def execute(self, sql):
        self.ask(sql)

    def ids(self, sql):
        return [uuid.UUID(text).bytes for text in self.ask(sql)]

    def size(self):
        return self.number("SELECT pg_database_size(current_database())")


def fill(database, wanted, of=""):
    """Every round copies each grant once, so a thousand become a million in ten. A copy has not ended."""
    values = COPIED.replace("ended_at, end_reason, end_note", "NULL, NULL, NULL")
    alive = "SELECT COUNT(*) FROM grants WHERE ended_at IS NULL " + of
    while (present := database.number(alive)) < wanted:
        database.execute(
            "INSERT INTO grants (grant_id, %s) SELECT %s, %s FROM grants WHERE TRUE %s LIMIT %d"
            % (COPIED, database.random_id, values, of, wanted - present)
        )
    database.execute("ANALYZE")


def name(kind, identifier):
    number = int.from_bytes(identifier, "big")
    digits = [BASE32[number >> (5 * place) & 31] for place in reversed(range(26))]
    return kind + "_" + "".join(digits)


def watch(database, seconds):
    most, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        most = max(most, database.number(QUEUE))
        time.sleep(0.2)
    return most


def main(url, what, count="0", email=""):
    database = Sqlite(url) if url.startswith("sqlite:") else Postgres(url)
    match what:
        case "size":
            print(database.size())
        case "entries":
            print(database.number(ENTRIES))
        case "queue":
            print(database.number(QUEUE))
        case "unchecked":
            print(database.number(UNCHECKED))
        case "watch":
            print(watch(database, float(count)))
        case "fill":
            fill(database, int(count))
        case "lend":
            fill(database, int(count), OF_PERSON % email)
        case "sample":
            sql = "SELECT grant_id FROM grants ORDER BY grant_id"
            ids = database.ids(sql)
            for place in range(0, len(ids), max(1, len(ids) // int(count))):
                print(name("grt", ids[place]))
        case _:
            raise SystemExit("ask_database.py: what is " + what + "?")


if __name__ == "__main__":
    main(*sys.argv[1:])
