"""A rolling restart of both replicas under clients that count what they lose."""

import http.client
import multiprocessing
import threading
import time

from cluster import HOST, Client, Failed

THREADS = 4
LINK = {"role": "member", "purpose": "projects"}
# What each client sends in turn: method, path, body, and the status of its answer. No proxy may repeat a POST.
TURNS = [
    *[("GET", "/healthz", None, 200)] * 17,
    *[("GET", "/v1/workspace", None, 200)] * 2,
    ("POST", "/v1/sign-in-links", LINK, 201),
]
# The longest that the clients of one proxy go on, in seconds.
LONGEST = 100


def _work(proxy, workspace, stop, counted, lost, lock):
    """Sends requests until it is told to stop."""
    name, port, tls, token = proxy
    client = Client(port, tls, token, timeout=30)
    turn = 0
    while not stop.is_set():
        turn += 1
        try:
            # Most cost the service little: it is the connections that are tried, not how much a debug build bears.
            method, path, body, wanted = TURNS[turn % len(TURNS)]
            answer = client(method, path, body)
            fault = None if answer.status == wanted else f"{answer.status} {answer.content[:200]!r}"
        except (OSError, http.client.HTTPException) as error:
            fault = repr(error)
            client.close()
        with lock:
            counted.value += 1
        if fault:
            lost.put(f"{name}: {method} {path}: {fault}")
    client.close()


def _process(proxy, workspace, stop, counted, lost, lock):
    arguments = (proxy, workspace, stop, counted, lost, lock)
    threads = [threading.Thread(target=_work, args=arguments) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def restart(cluster, proxies):
    """Restarts the replicas one after the other, until each proxy has had its requests. Returns how many."""
    context = multiprocessing.get_context("fork")
    stop, lost = context.Event(), context.Queue()
    counts, workers = {}, []
    for proxy in proxies:
        counts[proxy.name] = context.Value("q", 0, lock=False)
        lock = context.Lock()
        seen = (proxy.name, proxy.port, proxy.tls, cluster.token)
        arguments = (seen, cluster.workspace, stop, counts[proxy.name], lost, lock)
        workers.append(context.Process(target=_process, args=arguments, daemon=True))
    began = time.monotonic()
    for worker in workers:
        worker.start()
    restarts = 0
    try:
        time.sleep(0.5)
        while restarts < 2 or any(counts[proxy.name].value < proxy.requests for proxy in proxies):
            if time.monotonic() - began > LONGEST:
                raise Failed(f"after {LONGEST} s: {({name: count.value for name, count in counts.items()})}")
            replica = cluster.replicas[restarts % 2]
            replica.stop_gracefully()
            replica.start()
            restarts += 1
            # As an orchestrator does: the next one only when this one is ready and has been seen.
            time.sleep(2)
    finally:
        stop.set()
        for worker in workers:
            worker.join(40)
    faults = []
    while not lost.empty():
        faults.append(lost.get())
    if faults:
        raise Failed(f"{len(faults)} requests were lost in {restarts} restarts:\n" + "\n".join(faults[:10]))
    return {name: count.value for name, count in counts.items()}, restarts
