"""The walk of a product by the Python client: from its key to the first event.

A workspace is made for a tenant and a setup is opened in it. The customer's administrator applies its documents
(`POST /dev/customer/apply` of `sallyport dev`), the connection is checked and becomes a storage. Files are listed,
stored, read back and signed, a project is made, and the event of the new storage is found.
`tools/check_clients.py` runs it.
"""

import os
import time
import urllib.request
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import httpx
import sallyport
from sallyport.client import IDEMPOTENCY_KEY, Repeating
from sallyport.rest.api.files import list_files, sign_files
from sallyport.rest.api.projects import create_project, get_project, list_project_files
from sallyport.rest.api.storage_setups import check_storage_setup, complete_storage_setup, open_storage_setup
from sallyport.rest.api.storages import list_storages
from sallyport.rest.api.workspaces import create_workspace
from sallyport.rest.client import AuthenticatedClient
from sallyport.rest.models.access import Access
from sallyport.rest.models.check_outcome import CheckOutcome
from sallyport.rest.models.connection_settings import ConnectionSettings
from sallyport.rest.models.new_file import NewFile
from sallyport.rest.models.new_project import NewProject
from sallyport.rest.models.new_workspace import NewWorkspace
from sallyport.rest.models.problem import Problem
from sallyport.rest.models.sign_files import SignFiles
from sallyport.rest.models.signed_method import SignedMethod
from standardwebhooks import Webhook

KEY = "/from-python/hello.bin"
CONTENT = bytes(range(256)) * 40


if TYPE_CHECKING:
    numbers: list[int] = [104, 105]
    # A list of numbers is no file. mypy fails here when the types take one, because the comment is then unused.
    sallyport.files.upload(AuthenticatedClient("", ""), "", KEY, numbers)  # type: ignore[arg-type]


def apply(url: str, setup_id: str) -> None:
    """What the customer's administrator does; `sallyport dev` plays it."""
    httpx.post(f"{url}/dev/customer/apply", json={"setup_id": setup_id}, timeout=60).raise_for_status()


def connect(url: str, key: str) -> tuple[AuthenticatedClient, str, str]:
    """A new tenant with a storage. Returns the tenant's client, the workspace and the storage."""
    tenant = f"walk-{uuid.uuid4()}"
    product = sallyport.connect(url, key)
    workspace = sallyport.ok(
        create_workspace.sync(client=product, body=NewWorkspace(name="By the Python client", external_id=tenant))
    )
    client = sallyport.connect(url, key, workspace=f"external:{tenant}", actor="user-7")
    settings = ConnectionSettings(bucket=os.environ["BUCKET"], prefix="team", access=Access.READ_WRITE)
    setup = sallyport.ok(open_storage_setup.sync(client=client, body=settings))
    try:
        complete_storage_setup.sync(setup.id, client=client)
        raise SystemExit("a setup was completed without a check")
    except sallyport.errors.CheckRequired as refused:
        assert refused.status == 409 and refused.request_id, refused
    apply(url, setup.id)
    report = sallyport.ok(check_storage_setup.sync(setup.id, client=client, wait=60))
    assert report.outcome in (CheckOutcome.PASSED, CheckOutcome.PASSED_WITH_WARNINGS), report
    storage = sallyport.ok(complete_storage_setup.sync(setup.id, client=client))
    assert [found.id for found in sallyport.items(list_storages, "storages", client=client)] == [storage.id]
    return client, workspace.id, storage.id


def use_files(client: AuthenticatedClient, storage: str) -> None:
    found = sallyport.items(list_files, "files", storage, client=client, folder="/texts/", page_size=5)
    assert len({file.key for file in found}) == 12
    stored = sallyport.files.upload(client, storage, KEY, CONTENT, only_new=True)
    assert stored.size == len(CONTENT), stored
    try:
        sallyport.files.upload(client, storage, KEY, iter([CONTENT]), size=len(CONTENT), only_new=True)
        raise SystemExit("a file was replaced")
    except sallyport.errors.PreconditionFailed as refused:
        assert refused.status == 412, refused
    with sallyport.files.stream(client, storage, KEY) as chunks:
        assert b"".join(chunks) == CONTENT
    with sallyport.files.stream(client, storage, KEY, range="bytes=0-9") as chunks:
        assert b"".join(chunks) == CONTENT[:10]
    try:
        with sallyport.files.stream(client, storage, "/not-there"):
            raise SystemExit("a file that is not there was read")
    except sallyport.errors.FileNotFound:
        pass
    body = SignFiles(keys=[KEY], method=SignedMethod.GET)
    signed = sallyport.ok(sign_files.sync(storage, client=client, body=body))
    with urllib.request.urlopen(signed.urls[0].url, timeout=30) as answer:
        assert answer.read() == CONTENT
    assert sallyport.files.signed_urls(signed) == [signed.urls[0].url]
    body = SignFiles.from_dict({"keys": [KEY, KEY], "method": "GET", "format": "compact"})
    compact = sallyport.files.signed_urls(sallyport.ok(sign_files.sync(storage, client=client, body=body)))
    assert len(compact) == 2
    with urllib.request.urlopen(compact[1], timeout=30) as answer:
        assert answer.read() == CONTENT


def make_project(client: AuthenticatedClient, storage: str) -> None:
    new = NewProject(name="By the Python client", storage_id=storage, files=[NewFile(file_key=KEY)])
    project = sallyport.ok(create_project.sync(client=client, body=new))
    assert sallyport.ok(get_project.sync(project.id, client=client)).file_count == 1
    files = sallyport.items(list_project_files, "files", project.id, client=client)
    assert [file.file_key for file in files] == [KEY]
    page = client.get_httpx_client().get(f"/v1/projects/{project.id}/files", params={"sign": "GET"}).json()
    with urllib.request.urlopen(page["files"][0]["url"], timeout=30) as answer:
        assert answer.read() == CONTENT


def find_event(url: str, key: str, workspace: str, storage: str) -> None:
    """The feed is read without the generated code, which this shows too: the client is httpx's."""
    http = sallyport.connect(url, key).get_httpx_client()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        events = http.get("/v1/events", params={"types": "storage.created"}).json()["events"]
        found = [event for event in events if event["data"].get("storage_id") == storage]
        if found:
            assert found[0]["type"] == "storage.created", found
            assert found[0]["data"]["workspace_id"] == workspace, found
            return
        time.sleep(0.5)
    raise SystemExit("there is no event of the new storage")


def repeat() -> None:
    """Against a server that is busy twice: the same idempotency key each time, and its pause is kept."""
    seen: list[httpx.Request] = []
    pauses: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        busy = len(seen) < 3
        return httpx.Response(503 if busy else 201, headers={"Retry-After": "2"} if busy else {}, json={})

    repeating = Repeating(httpx.MockTransport(answer), pauses.append)
    with httpx.Client(transport=repeating, base_url="http://below.example/sallyport") as http:
        assert http.post("/v1/projects", json={}).status_code == 201
        assert pauses == [2, 2] and len({request.headers[IDEMPOTENCY_KEY] for request in seen}) == 1
        # A deletion of files takes no key: it is asked for once.
        seen.clear()
        assert http.post("/v1/storages/sto_1/files/delete", json={}).status_code == 503
        assert len(seen) == 1 and IDEMPOTENCY_KEY not in seen[0].headers


def read_later_codes() -> None:
    """A code that this release does not have is an error like any other."""
    problem = {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "-",
        "code": "of_a_later_release",
        "request_id": "r",
    }
    assert Problem.from_dict(problem).code == "of_a_later_release"


def verify_webhook() -> None:
    secret, body, now = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=", '{"type": "storage.created"}', datetime.now(timezone.utc)
    signature = Webhook(secret).sign("evt_1", now, body)
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    assert sallyport.webhooks.verify(secret, body.encode(), headers)["type"] == "storage.created"
    try:
        sallyport.webhooks.verify(secret, body.replace("created", "deleted").encode(), headers)
        raise SystemExit("a changed webhook was taken")
    except sallyport.webhooks.WebhookVerificationError:
        pass


def main() -> None:
    url, key = os.environ["SALLYPORT_URL"], os.environ["SALLYPORT_KEY"]
    repeat()
    read_later_codes()
    verify_webhook()
    client, workspace, storage = connect(url, key)
    use_files(client, storage)
    make_project(client, storage)
    find_event(url, key, workspace, storage)
    print("the Python client has done the walk")


if __name__ == "__main__":
    main()
