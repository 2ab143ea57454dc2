"""A running service with everything that the tests of the API need: the AWS emulator, the service on SQLite,
a workspace, a customer's bucket and role, a storage, a setup and a project.

Runs with the emulator's virtual environment, which has botocore. `tools/install emulator` makes it.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "demo"))
import accounts  # noqa: E402
import environment  # noqa: E402
from api import Api  # noqa: E402
from environment import services  # noqa: E402


class SceneFailed(Exception):
    """The scene could not be made."""


class Service(environment.Service):
    """The service in a folder of its own, with further settings."""

    def __init__(self, folder, aws_url, vendor_key, extra):
        super().__init__(services.free_port(), aws_url, vendor_key)
        self.log = os.path.join(folder, "service.log")
        self.extra = extra

    def settings(self):
        return {**super().settings(), **self.extra}


class Scene:
    """What a test of the API works with."""

    def __init__(self, folder, service, aws_url, keys):
        self.folder = folder
        self.service = service
        self.url = service.url
        self.aws_url = aws_url
        self.keys = keys
        self.operator_token = service.settings()["SALLYPORT_OPERATOR_TOKEN"]
        self.operator = Api(self.url, self.operator_token)
        made = environment.workspace(self.url, None) if self.operator_token == environment.OPERATOR_TOKEN else None
        self.workspace = made or self._workspace()
        self.admin = Api(self.url, self.workspace["admin"])
        self.member = Api(self.url, self.workspace["member"])

    def _workspace(self):
        made = expect(self.operator("POST", "/v1/workspaces", {"name": "Acme"}), 201)
        path = f"/v1/workspaces/{made['id']}/tokens"
        for role in ("admin", "member"):
            made[role] = expect(self.operator("POST", path, {"name": role, "role": role}), 201)["token"]
        return made

    def customer(self):
        """The environment of the customer's administrator."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        return {**kept, **environment.aws_environment(self.aws_url, self.keys["customer"])}

    def provision(self, documents, role_name):
        """Applies a setup's documents, as the customer's administrator. Returns the role's ARN."""
        path = os.path.join(self.folder, f"{role_name}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(documents, file)
        command = [environment.binary(), "provision", path, "--bucket", accounts.CUSTOMER_BUCKET]
        command += ["--role-name", role_name, "--output", "json", "--yes"]
        done = subprocess.run(command, env=self.customer(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SceneFailed(f"`sallyport provision` exited with {done.returncode}:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)["role_arn"]

    def setup(self, **fields):
        """An open setup for the customer's bucket."""
        fields = {"bucket": accounts.CUSTOMER_BUCKET, "prefix": "team", **fields}
        return expect(self.admin("POST", "/v1/storage-setups", fields), 201)

    def storage(self, role_name):
        """A storage whose connection has passed its check."""
        setup = self.setup()
        path = f"/v1/storage-setups/{setup['id']}"
        documents = expect(self.admin("GET", f"{path}/documents"), 200)
        role_arn = self.provision(documents, role_name)
        expect(self.admin("PATCH", path, {"role_arn": role_arn}), 200)
        report = expect(self.admin("POST", f"{path}/check", wait=60), 200)
        if report["outcome"] == "failed":
            raise SceneFailed(json.dumps(report, indent=1))
        return expect(self.admin("POST", f"{path}/complete"), 201)

    def webhook(self):
        """A webhook of the workspace, whose receiver does not exist (RFC 6761, `invalid`)."""
        body = {"url": "https://receiver.invalid/hooks", "types": ["project.failed"]}
        return expect(self.admin("POST", "/v1/webhooks", body), 201)

    def project(self, storage):
        """A project of some of the storage's files."""
        body = {"name": "Samples", "storage_id": storage["id"], "folder": "/"}
        return expect(self.admin("POST", "/v1/projects", body), 201)


def expect(answer, status):
    """The answer's JSON, or an error that shows the answer."""
    if answer.status != status:
        raise SceneFailed(f"expected {status}, found {answer.status}: {answer.content.decode(errors='replace')}")
    return answer.json


@contextlib.contextmanager
def scene(**settings):
    """Runs the emulator and the service, and ends both. `settings` are further variables of the service."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sallyport-api-"))
        environment.FOLDER = folder
        aws = stack.enter_context(services.Emulator(folder))
        keys = accounts.seed(aws.url, {})
        service = stack.enter_context(Service(folder, aws.url, keys["vendor"], settings))
        yield Scene(folder, service, aws.url, keys)
