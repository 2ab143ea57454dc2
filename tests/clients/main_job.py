"""The main job by the Python client that openapi-python-client makes of the OpenAPI document.

A setup is opened, the customer applies its documents, the connection is checked and becomes a storage; then
files are listed, stored, read back, signed, and put into a project. `tools/check_clients.py` runs it.
"""

import io
import os
import sys
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sallyport_client import AuthenticatedClient
from sallyport_client.api.files import list_files, read_file, sign_files, upload_file
from sallyport_client.api.projects import create_project, list_project_files
from sallyport_client.api.storage_setups import (
    change_storage_setup,
    check_storage_setup,
    complete_storage_setup,
    get_setup_documents,
    open_storage_setup,
)
from sallyport_client.models.check_outcome import CheckOutcome
from sallyport_client.models.check_report import CheckReport
from sallyport_client.models.connection_settings import ConnectionSettings
from sallyport_client.models.access import Access
from sallyport_client.models.documents import Documents
from sallyport_client.models.folder_page import FolderPage
from sallyport_client.models.new_file import NewFile
from sallyport_client.models.new_project import NewProject
from sallyport_client.models.problem import Problem
from sallyport_client.models.problem_code import ProblemCode
from sallyport_client.models.project import Project
from sallyport_client.models.project_file_list import ProjectFileList
from sallyport_client.models.sign_files import SignFiles
from sallyport_client.models.signed_method import SignedMethod
from sallyport_client.models.signed_urls import SignedUrls
from sallyport_client.models.storage import Storage
from sallyport_client.models.storage_setup import StorageSetup
from sallyport_client.models.stored_file import StoredFile
from sallyport_client.types import File

KEY = "/from-python/hello.bin"
CONTENT = bytes(range(256)) * 40

T = TypeVar("T")


if TYPE_CHECKING:
    # A list of numbers is no file. mypy fails here when the types take one, because the comment is then unused.
    upload_file.sync("", client=AuthenticatedClient("", ""), key="", body=[104, 105])  # type: ignore[arg-type]


def given(kind: type[T], answer: object) -> T:
    """The answer, which must be of this kind."""
    if not isinstance(answer, kind):
        raise SystemExit(f"expected {kind.__name__}, found {answer!r}")
    return answer


def main(url: str, token: str, bucket: str, provision: Callable[[dict[str, object]], str]) -> None:
    client = AuthenticatedClient(base_url=url, token=token, timeout=None)
    setup = given(
        StorageSetup,
        open_storage_setup.sync(client=client, body=ConnectionSettings(bucket=bucket, prefix="team", access=Access.READ_WRITE)),
    )
    refused = given(Problem, complete_storage_setup.sync(setup.id, client=client))
    assert (refused.status, refused.code) == (409, "check_required"), refused
    documents = given(Documents, get_setup_documents.sync(setup.id, client=client))
    role_arn = provision(documents.to_dict())
    given(StorageSetup, change_storage_setup.sync(setup.id, client=client, body=ConnectionSettings(role_arn=role_arn)))
    report = given(CheckReport, check_storage_setup.sync(setup.id, client=client, wait=60))
    assert report.outcome in (CheckOutcome.PASSED, CheckOutcome.PASSED_WITH_WARNINGS), report
    storage = given(Storage, complete_storage_setup.sync(setup.id, client=client))

    page = given(FolderPage, list_files.sync(storage.id, client=client, folder="/"))
    assert page.folders, page
    body = File(payload=io.BytesIO(CONTENT))
    stored = given(StoredFile, upload_file.sync(storage.id, client=client, key=KEY, body=body, if_none_match="*"))
    assert stored.size == len(CONTENT), stored
    body = File(payload=io.BytesIO(CONTENT))
    again = given(Problem, upload_file.sync(storage.id, client=client, key=KEY, body=body, if_none_match="*"))
    assert (again.status, again.code) == (412, "precondition_failed"), again
    content = given(File, read_file.sync(storage.id, client=client, key=KEY))
    assert content.payload.read() == CONTENT
    part = given(File, read_file.sync(storage.id, client=client, key=KEY, range_="bytes=0-9"))
    assert part.payload.read() == CONTENT[:10]
    missing = given(Problem, read_file.sync(storage.id, client=client, key="/not-there"))
    assert missing.code is ProblemCode.FILE_NOT_FOUND, missing
    # A code that this document does not have is read too.
    later = Problem.from_dict({**missing.to_dict(), "code": "of_a_later_release"})
    assert later.code == "of_a_later_release", later

    signed = given(
        SignedUrls,
        sign_files.sync(storage.id, client=client, body=SignFiles(keys=[KEY], method=SignedMethod.GET)),
    )
    with urllib.request.urlopen(signed.urls[0].url, timeout=30) as answer:
        assert answer.read() == CONTENT

    new = NewProject(name="By the Python client", storage_id=storage.id, files=[NewFile(file_key=KEY)])
    project = given(Project, create_project.sync(client=client, body=new))
    files = given(ProjectFileList, list_project_files.sync(project.id, client=client))
    assert [file.file_key for file in files.files] == [KEY], files


if __name__ == "__main__":
    # `provision DOCUMENTS` is run as the customer's administrator; it prints the role's ARN.
    import json
    import subprocess

    def provision(documents: dict[str, object]) -> str:
        command = json.loads(os.environ["PROVISION"])
        done = subprocess.run(command, input=json.dumps(documents), capture_output=True, text=True, check=True)
        return done.stdout.strip()

    main(os.environ["SALLYPORT_URL"], os.environ["SALLYPORT_TOKEN"], os.environ["BUCKET"], provision)
    print("the Python client has done the main job")
    sys.exit(0)
