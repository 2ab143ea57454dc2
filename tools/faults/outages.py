"""The database and the store fail while requests come in."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from deeds import Deed, verify
from world import Failed

KINDS = ("workspace", "token", "sign-in link", "setup", "project", "import")
AT_ONCE = 6
# No answer may take longer than this while something fails.
LONGEST = 60

# What a request may be answered while its part fails.
OF_DATABASE = {
    "database_unavailable",
    "database_busy",
    "database_outcome_unknown",
    "database_full",
    "idempotency_key_in_progress",
}
OF_STORE = {"storage_unavailable", "storage_timeout", "storage_throttled", "storage_busy", "aws_identity_unknown", "upload_outcome_unknown"}


def during(world, name, seconds, random, fault, kinds=KINDS, codes=OF_DATABASE):
    """Sends requests while `fault`, a context manager, is in force; then repeats what was not made."""
    deeds, stop, lock = [], threading.Event(), threading.Lock()
    longest = [0.0]

    def work(worker):
        while not stop.is_set():
            kind = random.choice(kinds)
            with lock:
                deed = Deed(world, kind, f"{name}-{len(deeds)}".replace(" ", "-"))
                deeds.append(deed)
            began = time.monotonic()
            deed.send(world)
            with lock:
                longest[0] = max(longest[0], time.monotonic() - began)
            time.sleep(0.02)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        with fault:
            tasks = [pool.submit(work, worker) for worker in range(AT_ONCE)]
            time.sleep(seconds)
        stop.set()
        for task in tasks:
            task.result()
    world.wait_until_ready()
    seen = Counter()
    for deed in deeds:
        if deed.answer is None:
            seen["no answer"] += 1
        elif deed.is_acknowledged:
            seen["made"] += 1
        elif deed.answer.code in codes:
            seen[deed.answer.code] += 1
        else:
            raise Failed(f"{name}: {deed.kind} was answered {deed.answer}")
    if longest[0] > LONGEST:
        raise Failed(f"{name}: an answer took {longest[0]:.0f} s")
    verify(world, deeds)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda deed: deed.repeat(world), (d for d in deeds if not d.is_acknowledged)))
    verify(world, deeds)
    words = ", ".join(f"{count} {what}" for what, count in seen.most_common())
    return name, len(deeds), f"{words}; longest {longest[0]:.1f} s; all made once when repeated"


@contextlib.contextmanager
def sqlite_locked(database):
    """Another process holds the write lock."""
    connection = sqlite3.connect(database.path, timeout=30, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextlib.contextmanager
def disk_full(folder):
    """Something else takes the rest of the disk, which must be a small one."""
    ballast = os.path.join(folder, "ballast")
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    try:
        yield
    finally:
        os.unlink(ballast)


@contextlib.contextmanager
def postgres_restarted(server):
    """PostgreSQL crashes, is away, recovers, and is restarted once more in order."""
    server.halt(signal.SIGQUIT)
    try:
        yield
    finally:
        server.resume()
        time.sleep(2)
        server.halt()
        server.resume()
        time.sleep(1)


@contextlib.contextmanager
def store(line, mode):
    line.set(mode)
    try:
        yield
    finally:
        line.set("up")


@contextlib.contextmanager
def small_disk(folder, megabytes=24):
    """A disk in memory; yields None where this user may not mount one."""
    place = os.path.join(folder, "small")
    os.makedirs(place)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "sallyport-faults", place]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield place if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", place], capture_output=True, check=False)
