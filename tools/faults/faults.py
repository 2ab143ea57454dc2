#!/usr/bin/env python3
"""Kills the service and breaks what it needs, and verifies what it promised: tools/faults/faults.py [--short]

  --short       about a minute; `make test` runs it
  --rounds N    how often the service is killed, on SQLite and PostgreSQL together (500)
  --seed N      repeats the choices of an earlier run

Every request that makes something has an idempotency key. After the faults, each that was not answered is
repeated with the same key. Then nothing that was acknowledged may be lost, nothing may be there twice, and
nothing in half. Each change must have one event, and a receiver of webhooks must get each. The result is a table.
The exit status is not 0 if a promise was not kept.
"""

import argparse
import contextlib
import os
import random
import secrets
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tools"), os.path.join(ROOT, "demo")]
import accounts  # noqa: E402
import outages  # noqa: E402
import services  # noqa: E402
from events import events_line, kill_between  # noqa: E402
from kills import kill_rounds  # noqa: E402
from line import Line  # noqa: E402
from outages import during  # noqa: E402
from world import Failed, PostgreSql, Sqlite, World  # noqa: E402


def say(text):
    print(text, flush=True)


class Faults:
    def __init__(self, folder, emulator, arguments, chance):
        self.folder = folder
        self.aws_url = emulator.url
        self.keys = accounts.seed(emulator.url, {})
        self.line = Line(emulator.port)
        self.short = arguments.short
        self.rounds = arguments.rounds
        self.chance = chance
        self.table = []

    def world(self, database, name):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        return World(folder, database(folder), self.line, self.aws_url, self.keys)

    def add(self, *lines):
        for line in lines:
            what, tried, outcome = line
            say(f"   {what:<46} {tried:>5}  {outcome}")
        self.table += lines

    def killed(self, world, rounds):
        """Returns further lines, for when the events were verified."""
        self.add(*kill_rounds(world, rounds, self.chance, wait_for_imports=not self.short))
        return kill_between(world, 3 if self.short else max(3, rounds // 5))

    def run(self):
        parts = (self.on_sqlite, self.on_postgres, self.on_a_full_disk)
        if not self.short:
            for part in parts:
                part()
            return
        # At the same time, because they mostly wait for leases.
        with ThreadPoolExecutor(len(parts)) as pool:
            for task in [pool.submit(part) for part in parts]:
                task.result()

    def on_sqlite(self):
        with self.world(Sqlite, "sqlite") as world:
            of_events = self.killed(world, self.rounds // 2)
            seconds = 6 if self.short else 12
            fault = outages.sqlite_locked(world.database)
            self.add(during(world, f"SQLite locked for {seconds} s", seconds, self.chance, fault))
            if not self.short:
                self.store_fails(world)
            self.add(events_line(world, "all of it"), *of_events)

    def store_fails(self, world):
        kinds = ("upload", "project", "upload in parts", "setup")
        for mode in ("killed", "slow", "throttling", "cutting"):
            fault = outages.store(self.line, mode)
            self.add(during(world, f"store {mode}", 15, self.chance, fault, kinds, outages.OF_STORE))

    def on_postgres(self):
        with services.Postgres(durable=True) as server:
            with self.world(lambda _: PostgreSql(server), "postgres") as world:
                of_events = self.killed(world, self.rounds - self.rounds // 2)
                fault = outages.postgres_restarted(server)
                self.add(during(world, "PostgreSQL restarted", 2 if self.short else 10, self.chance, fault))
                self.add(events_line(world, "all of it"), *of_events)

    def on_a_full_disk(self):
        with outages.small_disk(self.folder) as place:
            if place is None:
                self.add(("disk full", 0, "not tried: this user may not mount a small disk"))
                return
            with World(place, Sqlite(place), self.line, self.aws_url, self.keys) as world:
                fault = outages.disk_full(place)
                self.add(during(world, "disk full", 2 if self.short else 10, self.chance, fault))
                self.add(events_line(world, "disk full"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    arguments = parser.parse_args()
    if arguments.rounds is None:
        arguments.rounds = 6 if arguments.short else 500
    say(f"faults: seed {arguments.seed}, {arguments.rounds} kills")
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sallyport-faults-"))
        try:
            emulator = stack.enter_context(services.Emulator(folder))
            faults = Faults(folder, emulator, arguments, random.Random(arguments.seed))
            faults.run()
        except (Failed, services.StartFailed) as error:
            say(f"faults: {error}")
            say(f"To repeat the choices: --seed {arguments.seed} --rounds {arguments.rounds}")
            return 1
    tried = sum(tried for _, tried, _ in faults.table)
    say(f"{tried} requests in {time.monotonic() - began:.0f} s; every promise was kept.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
