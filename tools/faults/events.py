"""Events: each change has its own once, and the product's receiver gets each at least once."""

import json
import threading

from world import OPERATOR, Failed

# How long an event may take after the last kill: the lease of an attempt whose process died is 30 s, a webhook has
# four attempts at the same time, and a failed attempt is followed by a pause.
ARRIVAL_SECONDS = 120

# What has an event of a type: the member of `data` with its ID, and all that are there.
OF_CHANGE = {
    "storage.created": ("storage_id", "SELECT id FROM storages"),
    "setup.completed": ("setup_id", "SELECT id FROM setups WHERE status = 'completed'"),
    "project.ready": ("project_id", "SELECT id FROM projects WHERE status = 'ready'"),
}

# The event of the change that `kill_between` makes.
RENAMED = "storage.updated"

# When the service is killed, seen from an event that has been committed.
MOMENTS = ("before it is sent", "while it is sent", "when it was taken")


def stored(world):
    """All events in their order, as (ID, type, data)."""
    rows = world.database.rows("SELECT id, type, data FROM events ORDER BY seq")
    return [(id, type, json.loads(data)) for id, type, data in rows]


def verify_events(world):
    """Fails unless each change has one event, and each has come and was answered, the same each time. Returns how many."""
    receiver = world.receiver
    with receiver.changed:
        came_before = set(receiver.came)
    before = stored(world)
    changes = {type: {row[0] for row in world.database.rows(sql)} for type, (_, sql) in OF_CHANGE.items()}
    events = stored(world)
    for type, (member, _) in OF_CHANGE.items():
        of_type = [data[member] for _, found, data in events if found == type]
        if len(set(of_type)) != len(of_type):
            raise Failed(f"a change has two events {type}")
        if without := changes[type] - set(of_type):
            raise Failed(f"changes without an event {type}: {sorted(without)[:5]}")
        earlier = {data[member] for _, found, data in before if found == type}
        if never := earlier - changes[type]:
            raise Failed(f"events {type} of what is not there: {sorted(never)[:5]}")
    ids = [id for id, _, _ in events]
    if unknown := came_before - set(ids):
        raise Failed(f"events were sent and are lost: {sorted(unknown)[:5]}")
    if not receiver.wait(lambda: all(receiver.answered[id] for id in ids), ARRIVAL_SECONDS):
        missing = [id for id in ids if not receiver.answered[id]]
        raise Failed(f"{len(missing)} of {len(ids)} events did not come, or not again, within {ARRIVAL_SECONDS} s: {missing[:5]}")
    if receiver.faults:
        raise Failed(f"events: {receiver.faults[:5]}")
    if different := [id for id in ids if len(receiver.bodies[id]) > 1]:
        raise Failed(f"events came again with another body: {different[:5]}")
    if feed(world, len(ids)) != ids:
        raise Failed("the feed has not each event once, in order")
    return len(ids)


def feed(world, count):
    """The IDs of the feed's first events."""
    ids, after = [], None
    while len(ids) < count:
        query = {"page_size": 1000, **({"after": after} if after else {})}
        page = world.made(world.client.send("GET", "/v1/events", OPERATOR, query=query))
        ids += [event["id"] for event in page["events"]]
        after = page["next"]
        if not page["has_more"]:
            break
    return ids[:count]


def events_line(world, what):
    """A line for the table."""
    count = verify_events(world)
    again = sum(1 for times in world.receiver.came.values() if times > 1)
    outcome = f"one of each change, none lost; {again} came more than once, with the same ID and body"
    return f"{what}, {world.database.name}: events", count, outcome


def kill_between(world, rounds):
    """Kills the service between the commit of a change and the end of its event's delivery.

    Returns lines for the table, which are true once `verify_events` has passed: what was being sent comes again only
    after its lease.
    """
    already = len(renames(world))
    seen = dict.fromkeys(MOMENTS, 0)
    for number in range(rounds):
        moment = MOMENTS[number % len(MOMENTS)]
        seen[moment] += killed_at(world, moment, f"renamed {number}")
    if len(renames(world)) - already != rounds:
        raise Failed(f"{rounds} names were changed, and there are {len(renames(world)) - already} events of it")
    return [
        (f"kill -9, {world.database.name}: an event, {moment}", count, "stored once, and delivered after it")
        for moment, count in seen.items()
    ]


def renames(world):
    return [id for id, type, _ in stored(world) if type == RENAMED]


def killed_at(world, moment, name):
    """Makes a change, and kills the service at this moment of its event. Returns whether it was this moment."""
    receiver = world.receiver
    known, killed = set(renames(world)), threading.Event()

    def kill():
        if not killed.is_set():
            killed.set()
            world.service.kill()

    answer = {
        "before it is sent": receiver.TAKES,
        "while it is sent": receiver.HOLDS,
        "when it was taken": receiver.FALLS_SILENT,
    }[moment]
    receiver.on_taken = kill
    # Events of the kills before this one still come, among them imports that have ended.
    receiver.answer = lambda event, type: answer if type == RENAMED and event not in known else receiver.TAKES
    path = f"/v1/storages/{world.storage}"
    world.made(world.client.send("PATCH", path, world.admin, {"display_name": name}))
    if moment == "before it is sent":
        kill()
        came = set(receiver.came)
        event = renames(world)[-1]
        is_moment = event not in came
    else:
        event = renames(world)[-1]
        if not receiver.wait(lambda: event in receiver.came, ARRIVAL_SECONDS):
            raise Failed(f"the event {event} did not come while nothing failed")
        if moment == "while it is sent":
            kill()
        is_moment = killed.wait(10)
    receiver.answer = lambda event, type: receiver.TAKES
    world.service.process.wait()
    world.service.start()
    if moment == "before it is sent" and not receiver.wait(lambda: receiver.answered[event], ARRIVAL_SECONDS):
        raise Failed(f"the event {event} was not sent after the kill")
    return is_moment
