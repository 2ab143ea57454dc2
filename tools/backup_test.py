#!/usr/bin/env python3
"""Backs the service up while it works, kills it, restores the backup and compares: tools/backup_test.py [--rounds N]

  --rounds N    how often, on SQLite and on PostgreSQL each (100)
  --seed N      repeats the choices of an earlier run

In each round requests make things over the API. While they run, the database is backed up: SQLite by `sallyport
backup`, PostgreSQL by the `pg_dump` that this command names. Then the service is killed with SIGKILL. The backup is looked
at by `sallyport restore --check` and restored to a new place, and a service is started on it with the same master key.

Everything that was acknowledged before the backup began must be there, once and whole, and the service must answer with
it. The exit status is not 0 if something is missing.
"""

import argparse
import contextlib
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(HERE, "faults"), HERE, os.path.join(ROOT, "demo")]
import accounts  # noqa: E402
import services  # noqa: E402
from client import Client  # noqa: E402
from deeds import COUNTS, Deed, found_as, verify  # noqa: E402
from line import Line  # noqa: E402
from world import MASTER_KEY, OPERATOR, Failed, PostgreSql, Service, Sqlite, World, binary  # noqa: E402

# How many requests are under way at a time, and how long they run before the backup begins, at most.
AT_ONCE = 4
LONGEST = 0.6
KINDS = ("workspace", "token", "product key", "setup", "setup", "project", "project", "completion")
# How many objects of earlier rounds the restored service is asked for; the database is asked for all.
ASKED = 40


def say(text):
    print(text, flush=True)


def run(command, environment=None):
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment
    )
    if done.returncode:
        raise Failed(f"{os.path.basename(command[0])} {command[1]} failed: {done.stdout}{done.stderr}")
    return done.stdout


def sallyport(*arguments, database=None):
    environment = {"PATH": os.environ["PATH"], "SALLYPORT_MASTER_KEY": MASTER_KEY}
    if database:
        environment["SALLYPORT_DATABASE_URL"] = database
    return run([binary(), *arguments], environment)


class OfSqlite:
    """A copy by the command, which is put in the place of the database."""

    def __init__(self, database):
        self.database = database

    def back_up(self, file):
        sallyport("backup", file, database=self.database.url)

    @contextlib.contextmanager
    def restored(self, file, folder):
        sallyport("restore", "--check", file, database=f"sqlite://{folder}/sallyport.db")
        restored = Sqlite(folder)
        shutil.copyfile(file, restored.path)
        yield restored


class OfPostgres:
    """A dump by PostgreSQL's own program, which is restored into a new database."""

    def __init__(self, server):
        self.server = server
        self.programs = os.path.dirname(services.postgres_program("initdb"))
        self.number = 0

    def program(self, name, *arguments):
        run([os.path.join(self.programs, name), *arguments])

    def back_up(self, file):
        options = ("--format=custom", "--no-owner", "--no-privileges", f"--file={file}")
        self.program("pg_dump", *options, f"--dbname={self.server.url}")

    @contextlib.contextmanager
    def restored(self, file, _folder):
        self.number += 1
        name = f"restored_{self.number}"
        server = PostgreSql(self.server)
        server.rows(f"CREATE DATABASE {name}")
        try:
            restored = PostgreSql(self.server)
            restored.url = self.server.url.replace("/postgres?", f"/{name}?")
            options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
            self.program("pg_restore", *options, f"--dbname={restored.url}", file)
            sallyport("restore", "--check", restored.url, database=restored.url)
            yield restored
        finally:
            server.rows(f"DROP DATABASE {name} WITH (FORCE)")


class Restored:
    """A service on the restored database, as `verify` asks it."""

    def __init__(self, folder, database, world):
        self.database = database
        self.service = Service(folder, database, world.line.url, world.keys["vendor"])
        self.client = Client(self.service.port)
        self.admin = world.admin

    def __enter__(self):
        self.service.start()
        return self

    def __exit__(self, *_):
        self.service.stop()


class Load:
    """Requests that make things, until the service dies."""

    def __init__(self, world, setups, chance):
        self.world = world
        self.setups = setups
        self.chance = chance
        self.deeds = []
        self.lock = threading.Lock()

    def next_deed(self):
        with self.lock:
            kind = self.chance.choice(KINDS)
            if kind == "completion" and not self.setups:
                kind = "setup"
            setup = self.setups.pop() if kind == "completion" else None
            deed = Deed(self.world, kind, f"{self.world.database.name}-{len(self.deeds)}", setup)
            self.deeds.append(deed)
            return deed

    def work(self):
        while True:
            deed = self.next_deed()
            if deed.send(self.world) is None:
                return

    def acknowledged(self):
        with self.lock:
            return [deed for deed in self.deeds if deed.is_acknowledged]


def compare(restored, before, chance):
    """Fails where something that was acknowledged is not in the restored database exactly once."""
    counts = {kind: dict(restored.database.rows(sql)) for kind, sql in COUNTS.items()}
    for deed in before:
        kind, name = found_as(deed)
        found = int(counts[kind].get(name, 0))
        if found != 1:
            raise Failed(f"{deed.kind} {deed.name} was acknowledged before the backup and is there {found} times")
    newest, others = before[-ASKED:], before[:-ASKED]
    verify(restored, newest + chance.sample(others, min(ASKED, len(others))))


def one_round(world, load, way, folder):
    file = os.path.join(folder, "backup")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(load.work) for _ in range(AT_ONCE)]
        try:
            time.sleep(load.chance.random() * LONGEST)
            before = load.acknowledged()
            way.back_up(file)
            time.sleep(load.chance.random() * 0.1)
        finally:
            world.service.kill()
        for task in running:
            task.result()
    with way.restored(file, folder) as database:
        with Restored(folder, database, world) as restored:
            compare(restored, before, load.chance)
            listed = restored.client.send("GET", "/v1/workspaces", OPERATOR)
            if listed is None or listed.status != 200:
                raise Failed(f"the restored service does not answer: {listed}")
            known = restored.client.send("GET", f"/v1/storages/{world.storage}", world.admin)
            if known is None or known.status != 200:
                raise Failed(f"the restored service does not know the token or the storage of before: {known}")
    for deed in load.deeds:
        if deed.answer is not None and deed.answer.status >= 400:
            raise Failed(f"{deed.kind} {deed.name} was refused: {deed.answer}")
    world.service.start()
    return len(before)


def on(name, world, way, rounds, chance, folder):
    compared = 0
    with world:
        setups = [world.checked_setup(f"spare {n}") for n in range(min(rounds + 2, 12))]
        load = Load(world, setups, chance)
        for number in range(rounds):
            place = os.path.join(folder, f"round-{number}")
            os.makedirs(place)
            compared = one_round(world, load, way, place)
            shutil.rmtree(place)
    say(f"   {name:<12} {rounds:>4} rounds  {compared} objects compared in the last; none is missing, none is there twice")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    arguments = parser.parse_args()
    say(f"backup-test: seed {arguments.seed}, {arguments.rounds} rounds on each database")
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sallyport-backup-"))
        try:
            emulator = stack.enter_context(services.Emulator(folder))
            keys = accounts.seed(emulator.url, {})
            line = Line(emulator.port)
            server = stack.enter_context(services.Postgres(durable=True))
            for name, database, way in (
                ("SQLite", Sqlite, OfSqlite),
                ("PostgreSQL", lambda _: PostgreSql(server), lambda _: OfPostgres(server)),
            ):
                place = os.path.join(folder, name)
                os.makedirs(place)
                kept = database(place)
                world = World(place, kept, line, emulator.url, keys)
                chance = random.Random(arguments.seed)
                on(name, world, way(kept), arguments.rounds, chance, place)
        except (Failed, services.StartFailed) as error:
            say(f"backup-test: {error}")
            say(f"To repeat the choices: --seed {arguments.seed} --rounds {arguments.rounds}")
            return 1
    say(f"{time.monotonic() - began:.0f} s; every backup was restored with all that was acknowledged before it.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
