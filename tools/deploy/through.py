"""What has to work through a proxy, and what must not be in its log."""

import hashlib
import json
import os
import re
import signal
import threading
import time
import urllib.parse

import proxies
from cluster import HOST, OPERATOR, Client, Failed, expect, same

SIZE = 60 << 20
CONTENT = "/v1/storages/built-in/files/content"
# What a proxy gives up after by default, in seconds.
DEFAULT_PATIENCE = 60


class LongCheck(threading.Thread):
    """A check that waits for 90 seconds for a role that does not appear."""

    def __init__(self, cluster, proxy):
        super().__init__(daemon=True)
        self.client = Client(proxy.port, cluster.certificate, cluster.token)
        self.proxy = proxy
        fields = {"bucket": "acme-data", "prefix": proxy.name, "access": "read_write"}
        setup = expect(self.client("POST", "/v1/storage-setups", fields), 201)
        self.path = f"/v1/storage-setups/{setup['id']}"
        arn = {"role_arn": f"arn:aws:iam::222222222222:role/absent-{proxy.name}"}
        expect(self.client("PATCH", self.path, arn), 200)
        self.result = None

    def run(self):
        began = time.monotonic()
        try:
            answer = self.client("POST", f"{self.path}/check", wait=90)
            self.result = (answer.status, time.monotonic() - began)
        except OSError as error:
            self.result = (repr(error), time.monotonic() - began)

    def verify(self):
        self.join(120)
        if self.result is None:
            raise Failed(f"{self.proxy.name}: a check with wait=90 does not end")
        status, took = self.result
        if status != 200 or took <= DEFAULT_PATIENCE:
            raise Failed(f"{self.proxy.name}: a check with wait=90 ended with {status} after {took:.0f} s")


def large_file(cluster, proxy):
    """60 MB up and down, byte for byte."""
    client = Client(proxy.port, cluster.certificate, cluster.token)
    content = os.urandom(1 << 20) * (SIZE >> 20)
    key = f"/from-{proxy.name}.bin"
    expect(client("PUT", CONTENT, body=content, key=key), 200)
    back = client("GET", CONTENT, key=key)
    same(f"{proxy.name}: the status of a download of 60 MB", back.status, 200)
    if hashlib.sha256(back.content).digest() != hashlib.sha256(content).digest():
        raise Failed(f"{proxy.name}: 60 MB came back otherwise than they were sent")
    client.close()


def first_event(cluster, proxy):
    """A stream of events begins at once, and is not collected on the way."""
    client = Client(proxy.port, cluster.certificate, cluster.token)
    setup = expect(client("POST", "/v1/storage-setups", {"bucket": "acme-data", "prefix": "events"}), 201)
    began = time.monotonic()
    response = client.send("GET", f"/v1/storage-setups/{setup['id']}/events", headers={"Accept": "text/event-stream"})
    same(f"{proxy.name}: the status of a stream", response.status, 200)
    first = response.read1(1 << 16)
    took = time.monotonic() - began
    client.close()
    if not first or took > 0.5:
        raise Failed(f"{proxy.name}: the first piece of a stream of events came after {took:.2f} s: {first!r}")


def links(cluster, proxy):
    """Links are used, and others are tried. Returns the secrets that were on the way."""
    client = Client(proxy.port, cluster.certificate, cluster.token)
    body = {"role": "admin", "purpose": "settings"}
    url = expect(client("POST", "/v1/sign-in-links", body), 201)["url"]
    path = url.removeprefix(f"https://{HOST}")
    same(f"{proxy.name}: where a sign-in link leads", path.startswith("/sign-in/"), True)
    visitor = Client(proxy.port, cluster.certificate)
    arrived = visitor("GET", path)
    same(f"{proxy.name}: the status of a sign-in link", arrived.status, 303)
    cookie = arrived.headers["Set-Cookie"].split(";")[0]
    page = visitor("GET", arrived.headers["Location"], headers={"Cookie": cookie, "Accept": "text/html"})
    same(f"{proxy.name}: the status of the page after signing in", page.status, 200)
    setup = expect(client("POST", "/v1/storage-setups", {"bucket": "acme-data", "prefix": "link"}), 201)
    made = client("POST", f"/v1/storage-setups/{setup['id']}/administrator-links", {})
    instructions = expect(made, 201)["url"].removeprefix(f"https://{HOST}")
    opened = visitor("GET", instructions, headers={"Accept": "text/html"})
    same(f"{proxy.name}: the status of a link with instructions", opened.status, 303)
    of_link = {"Cookie": opened.headers["Set-Cookie"].split(";")[0], "Accept": "text/html"}
    shown = visitor("GET", opened.headers["Location"], headers=of_link)
    same(f"{proxy.name}: the status of the instructions", shown.status, 200)
    # Another site's frame keeps the secret in the address, and what it loads names it.
    referrer = {"Referer": f"https://{HOST}{instructions}"}
    visitor("GET", "/favicon.ico", headers=referrer)
    visitor("GET", f"{instructions}/documents?document=a-file-of-a-customer", headers=referrer)
    # On the port without TLS there is a redirect alone.
    for inside in ("/metrics", "/readyz"):
        same(f"{proxy.name}: {inside} from outside", visitor("GET", inside).status, 404)
    secrets = {
        "the secret of a sign-in link": path.split("/")[2],
        "the secret of a link with instructions": instructions.split("/")[2],
        "a token": cluster.token,
        "a session's cookie": cookie.split("=", 1)[1],
        "a query": "a-file-of-a-customer",
    }
    for one in (client, visitor):
        one.close()
    return secrets


def failures(cluster, proxy, secrets):
    """Requests with secrets while no replica answers: proxies write more about what fails."""
    for replica in cluster.replicas:
        replica.process.send_signal(signal.SIGSTOP)
    try:
        visitor = Client(proxy.port, cluster.certificate, timeout=2)
        for path in (f"/sign-in/{secrets['the secret of a sign-in link']}?return=a-file-of-a-customer", "/projects"):
            link = f"https://{HOST}/instructions/{secrets['the secret of a link with instructions']}"
            try:
                visitor("GET", path, headers={"Referer": link})
            except OSError:
                pass
            visitor.close()
    finally:
        for replica in cluster.replicas:
            replica.process.send_signal(signal.SIGCONT)


def dead(proxy, cluster, secrets):
    """The same while nothing listens where the replicas were."""
    visitor = Client(proxy.port, cluster.certificate)
    answer = visitor("GET", f"/sign-in/{secrets['the secret of a sign-in link']}")
    if answer.status not in (502, 503):
        raise Failed(f"{proxy.name}: without a replica the answer is {answer.status}")
    visitor.close()


def below_path(cluster):
    """A service below a path of another site: what it tells browsers to go to has the path."""
    path = "/sallyport"
    with cluster.sub_path_replica(path) as replica, proxies.NginxBelowPath(cluster, [replica]) as proxy:
        outside = Client(proxy.port, cluster.certificate)
        same("the other site", outside("GET", "/").content, b"something else\n")
        operator = {"Authorization": f"Bearer {OPERATOR}"}
        made = outside("POST", f"{path}/v1/workspaces", {"name": "Acme"}, operator)
        workspace = expect(made, 201)["id"]
        same("where a workspace is", made.headers["Location"], f"{path}/v1/workspaces/{workspace}")
        body = {"role": "admin", "purpose": "settings"}
        links = f"{path}/v1/workspaces/{workspace}/sign-in-links"
        url = expect(outside("POST", links, body, operator), 201)["url"]
        link = url.removeprefix(f"https://{HOST}")
        same("whether a link has the path", link.startswith(f"{path}/sign-in/"), True)
        arrived = outside("GET", link)
        same("the status of a sign-in link below a path", arrived.status, 303)
        same("where it leads", arrived.headers["Location"], f"{path}/settings/storages")
        cookie, *attributes = arrived.headers["Set-Cookie"].split("; ")
        same("the paths of the cookie", [one for one in attributes if one.startswith("Path=")], [f"Path={path}"])
        page = outside("GET", f"{path}/settings/storages", headers={"Cookie": cookie, "Accept": "text/html"})
        same("the status of a page below a path", page.status, 200)
        outside.close()
        if link.split("/")[3] in proxy.logged():
            raise Failed("nginx below a path: its log has the secret of a sign-in link")
        if f'"{path}/sign-in/-"' not in proxy.logged():
            raise Failed("nginx below a path: its log has no line about the sign-in link")


def search_log(proxy, secrets):
    """No secret is in the proxy's log, and the requests are."""
    log = proxy.logged()
    for name, secret in secrets.items():
        for form in (secret, urllib.parse.quote(secret, safe="")):
            if form in log:
                line = next(line for line in log.splitlines() if form in line)
                raise Failed(f"{proxy.name}: its log has {name}: {line.replace(form, 'SECRET')}")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith('{"') and '"uri"' in line]
    if not any('"/sign-in/-"' in json.dumps(line) for line in lines):
        raise Failed(f"{proxy.name}: its log has no line about the sign-in link:\n{log[-3000:]}")
    if not any(re.search(r'"/instructions/-"', json.dumps(line)) for line in lines):
        raise Failed(f"{proxy.name}: its log has no line about the link with instructions")
    return len(lines)
