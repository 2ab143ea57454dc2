"""`kill -9` at random instants while requests run; then each that was cut off is repeated."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import accounts
from deeds import Deed, verify
from world import Failed

# How many requests are under way when the service is killed, and how long it runs at most before.
AT_ONCE = 6
LONGEST = 0.5
KINDS = (
    "workspace",
    "token",
    "product key",
    "sign-in link",
    "setup",
    "setup",
    "project",
    "project",
    "import",
    "upload",
    "upload in parts",
    "check",
    "completion",
    "completion",
)
# A killed replica's import goes on when its lease ends.
IMPORT_SECONDS = 180


def kill_rounds(world, rounds, random, wait_for_imports):
    """Returns lines for the table."""
    setups = [world.checked_setup(f"spare {n}") for n in range(max(6, rounds // 4))]
    checked = world.checked_setup("checked again and again")
    deeds, seen, lock = [], Counter(), threading.Lock()

    def next_deed():
        with lock:
            kind = random.choice(KINDS)
            if kind == "completion" and not setups:
                kind = "setup"
            setup = setups.pop() if kind == "completion" else checked if kind == "check" else None
            deed = Deed(world, kind, f"{world.database.name}-{len(deeds)}", setup)
            deeds.append(deed)
            return deed

    def work():
        while True:
            deed = next_deed()
            if deed.send(world) is None:
                return

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(rounds):
            running = [pool.submit(work) for _ in range(AT_ONCE)]
            time.sleep(random.random() * LONGEST)
            world.service.kill()
            for task in running:
                task.result()
            world.service.start()
    for deed in deeds:
        seen[deed.kind, "answered" if deed.answer else "cut off"] += 1
        if deed.answer and deed.answer.status >= 400:
            raise Failed(f"{deed.kind} was refused before any fault: {deed.answer}")
    deeds = [deed for deed in deeds if deed.kind != "check"]
    # What was cut off and is not repeated is there once or not at all, and whole.
    verify(world, deeds)
    cut_off = [deed for deed in deeds if deed.answer is None]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda deed: deed.repeat(world), cut_off))
    if lost := [deed for deed in deeds if not deed.is_acknowledged]:
        raise Failed(f"{lost[0].kind} {lost[0].name}: {lost[0].answer}")
    verify(world, deeds)
    lines = []
    for kind in dict.fromkeys(KINDS):
        answered, cut = seen[kind, "answered"], seen[kind, "cut off"]
        if kind == "check":
            outcome = left_behind(world, "sallyport-check-", "probe object")
        elif kind == "upload in parts":
            outcome = f"complete or absent; {unfinished(world)}"
        else:
            outcome = "each once, none lost, none in half"
        lines.append((f"kill -9, {world.database.name}: {kind}", answered + cut, f"{cut} cut off; {outcome}"))
    if wait_for_imports:
        lines.append(imports_end(world, deeds))
    return lines


def left_behind(world, mark, what):
    pages = world.s3().get_paginator("list_objects_v2").paginate(Bucket=accounts.CUSTOMER_BUCKET)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", []) if mark in entry["Key"]]
    return f"{len(keys)} {what}s left to the lifecycle rule"


def unfinished(world):
    found = world.s3().list_multipart_uploads(Bucket=accounts.CUSTOMER_BUCKET)
    return f"{len(found.get('Uploads', []))} unfinished multipart uploads left to the lifecycle rule"


def imports_end(world, deeds):
    """Each import ends, with its one file that is there."""
    began = time.monotonic()
    imports = sum(deed.kind == "import" for deed in deeds)
    open_ones = "SELECT id FROM projects WHERE status = 'importing'"
    while world.database.rows(open_ones):
        if time.monotonic() - began > IMPORT_SECONDS:
            raise Failed(f"imports have not ended after {IMPORT_SECONDS} s")
        time.sleep(1)
    took = time.monotonic() - began
    bad = world.database.rows(
        "SELECT id, status FROM projects WHERE status = 'failed'"
        " OR (status = 'ready' AND file_count <> (SELECT COUNT(*) FROM project_files WHERE project_id = projects.id))"
    )
    if bad:
        raise Failed(f"imports did not end well: {bad[:5]}")
    return f"kill -9, {world.database.name}: imports end", imports, f"all ready, {took:.0f} s after the last kill"
