"""The customer's side, by a call: `/dev/customer/apply`, `/dev/break` and `/dev/repair`.

The customer is the emulated account 222222222222 with all of its permissions. What is broken is kept in memory, and
`repair` puts it back as it was.
"""

import contextlib
import json
import os
import subprocess
import threading
import urllib.parse
import urllib.request
import uuid

import botocore.exceptions

import accounts
import environment
from api import Api

PROVISION_SECONDS = 60
# A bucket that is deleted is kept in memory until it is repaired.
MOST_OBJECTS = 1_000
MOST_BYTES = 64 << 20

HOW = ("role_deleted", "external_id", "permission", "cors", "throttle", "bucket_deleted")


class Refused(Exception):
    """What was asked cannot be done. It has the members of a problem."""

    def __init__(self, status, code, detail):
        super().__init__(detail)
        self.status = status
        self.code = code


def provision(state, setup, documents):
    """Runs `sallyport provision` as the customer's administrator. Returns its summary."""
    key = state["keys"]["customer"]
    variables = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [environment.binary(), "provision", "--bucket", setup["bucket"], "--output", "json", "--yes"]
    try:
        finished = subprocess.run(
            command,
            input=documents,
            capture_output=True,
            env={**variables, **environment.aws_environment(state["aws_url"], key)},
            timeout=PROVISION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(502, "provision_failed", f"`sallyport provision` did not end: {error}") from error
    if finished.returncode:
        raise Refused(409, "provision_failed", finished.stderr.decode(errors="replace").strip())
    return json.loads(finished.stdout)


class Customer:
    def __init__(self, state):
        self.state = state
        self.operator = environment.OPERATOR_TOKEN
        # Storage ID -> how -> what puts it back.
        self.broken = {}
        # Calls change AWS in several steps: one at a time.
        self.turn = threading.Lock()
        # Workspace ID -> a token, for a service that takes no operator in a workspace.
        self.tokens = {}

    # Finding what was named

    def within(self, workspace, method, path, body=None, **query):
        """Calls the API within a workspace, as the operator."""
        header = {"Sallyport-Workspace": workspace}
        answer = Api(self.state["url"], self.operator, headers=header)(method, path, body, **query)
        if answer.status == 403 and answer.json["code"] == "workspace_token_required":
            answer = Api(self.state["url"], self.token(workspace))(method, path, body, **query)
        return answer

    def token(self, workspace):
        if workspace not in self.tokens:
            made = Api(self.state["url"], self.operator)(
                "POST", f"/v1/workspaces/{workspace}/tokens", {"name": "customer's side of the demo", "role": "admin"}
            )
            if made.status != 201:
                raise Refused(502, "service_failed", f"The service answered {made.status} to a new token.")
            self.tokens[workspace] = made.json["token"]
        return self.tokens[workspace]

    def workspaces(self):
        operator, query = Api(self.state["url"], self.operator), {}
        while True:
            page = operator("GET", "/v1/workspaces", **query)
            if page.status != 200:
                raise Refused(502, "service_failed", f"The service answered {page.status} to the list of workspaces.")
            yield from (workspace["id"] for workspace in page.json["workspaces"])
            if not page.json.get("next_page_token"):
                return
            query = {"page_token": page.json["next_page_token"]}

    def find(self, path):
        """Whatever has this path in one of the workspaces, and the workspace."""
        for workspace in self.workspaces():
            found = self.within(workspace, "GET", path)
            if found.status == 200:
                return workspace, found.json
            if found.status not in (404, 422):
                raise Refused(502, "service_failed", f"The service answered {found.status} to GET {path}.")
        raise Refused(404, "not_found", f"No workspace has {path.rpartition('/')[2]}.")

    # What the administrator does

    def apply(self, setup_id):
        """Applies a setup's documents in the customer's account, and enters the role's ARN in the setup."""
        path = f"/v1/storage-setups/{urllib.parse.quote(setup_id, safe='')}"
        workspace, setup = self.find(path)
        if not setup["bucket"]:
            raise Refused(409, "setup_incomplete", "The setup has no bucket yet. Enter one, then apply its documents.")
        documents = self.within(workspace, "GET", f"{path}/documents")
        if documents.status != 200:
            raise Refused(409, "setup_incomplete", documents.json["detail"])
        summary = provision(self.state, setup, documents.content)
        if summary.get("role_arn") and setup.get("role_arn") != summary["role_arn"]:
            entered = self.within(workspace, "PATCH", path, {"role_arn": summary["role_arn"]})
            if entered.status != 200:
                raise Refused(409, "setup_not_changed", entered.json["detail"])
        return {"setup_id": setup["id"], "workspace_id": workspace, **summary}

    # What goes wrong

    def storage(self, storage_id):
        if not storage_id.startswith("sto_"):
            raise Refused(404, "not_found", f"No workspace has the storage {storage_id}.")
        _, storage = self.find(f"/v1/storages/{urllib.parse.quote(storage_id, safe='')}")
        return storage

    def break_(self, storage_id, how):
        if how not in HOW:
            raise Refused(422, "invalid_request", f"`how` is one of {', '.join(HOW)}.")
        storage = self.storage(storage_id)
        broken = self.broken.setdefault(storage_id, {})
        if how not in broken:
            with _as_answer():
                broken[how] = getattr(self, f"_{how}")(storage)
        return {"storage_id": storage_id, "broken": sorted(broken)}

    def repair(self, storage_id):
        """Puts back what was broken, in the reverse order."""
        broken = self.broken.get(storage_id)
        if broken is None:
            self.storage(storage_id)
            broken = {}
        repaired = []
        for how in reversed(list(broken)):
            with _as_answer():
                broken[how]()
            del broken[how]
            repaired.append(how)
        self.broken.pop(storage_id, None)
        return {"storage_id": storage_id, "repaired": sorted(repaired)}

    def repair_everything(self):
        """At the end, so that data that is kept is whole."""
        for storage_id in list(self.broken):
            with contextlib.suppress(Refused, OSError, botocore.exceptions.BotoCoreError):
                self.repair(storage_id)

    def client(self, service):
        return accounts.client(service, self.state["aws_url"], **self.state["keys"]["customer"])

    def role(self, storage):
        """The client and the name of the storage's role."""
        arn = storage.get("role_arn") or ""
        if not arn.startswith(f"arn:aws:iam::{accounts.CUSTOMER}:role/"):
            raise Refused(409, "no_role", f"This storage uses no role of the account {accounts.CUSTOMER}.")
        iam, name = self.client("iam"), arn.rpartition("/")[2]
        return iam, name

    def _role_deleted(self, storage):
        iam, name = self.role(storage)
        role = iam.get_role(RoleName=name)["Role"]
        put_policies = self._without_policies(iam, name)
        iam.delete_role(RoleName=name)

        def back():
            iam.create_role(
                RoleName=name,
                Path=role.get("Path", "/"),
                AssumeRolePolicyDocument=_text(role["AssumeRolePolicyDocument"]),
                Tags=role.get("Tags", []),
            )
            put_policies()

        return back

    def _external_id(self, storage):
        iam, name = self.role(storage)
        trust = _text(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
        changed = json.loads(trust)
        for statement in _list(changed["Statement"]):
            for condition in statement.get("Condition", {}).values():
                if "sts:ExternalId" in condition:
                    condition["sts:ExternalId"] = str(uuid.uuid4())
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(changed))
        return lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)

    def _permission(self, storage):
        return self._without_policies(*self.role(storage))

    def _without_policies(self, iam, name):
        """Takes the role's policies away. Returns what puts them back."""
        policies = {
            policy: _text(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        }
        for policy in policies:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)

        def back():
            for policy, document in policies.items():
                iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)

        return back

    def _cors(self, storage):
        s3, bucket = self.client("s3"), storage["bucket"]
        rules = _or_none(lambda: s3.get_bucket_cors(Bucket=bucket)["CORSRules"])
        s3.delete_bucket_cors(Bucket=bucket)

        def back():
            if rules:
                s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})

        return back

    def _throttle(self, storage):
        self._busy("PUT", storage["bucket"])
        return lambda: self._busy("DELETE", storage["bucket"])

    def _busy(self, method, bucket):
        url = f"{self.state['aws_url']}/_dev/busy/{urllib.parse.quote(bucket, safe='')}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10):
            pass

    def _bucket_deleted(self, storage):
        s3, bucket = self.client("s3"), storage["bucket"]
        objects = self._objects(s3, bucket)
        versioning = s3.get_bucket_versioning(Bucket=bucket).get("Status")
        cors = _or_none(lambda: s3.get_bucket_cors(Bucket=bucket)["CORSRules"])
        lifecycle = _or_none(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"])
        policy = _or_none(lambda: s3.get_bucket_policy(Bucket=bucket)["Policy"])
        versions = s3.get_paginator("list_object_versions")
        for page in versions.paginate(Bucket=bucket):
            for version in page.get("Versions", []) + page.get("DeleteMarkers", []):
                s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        for key in objects:
            s3.delete_object(Bucket=bucket, Key=key)
        s3.delete_bucket(Bucket=bucket)

        def back():
            s3.create_bucket(Bucket=bucket)
            if versioning:
                s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": versioning})
            if cors:
                s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": cors})
            if lifecycle:
                s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": lifecycle})
            if policy:
                s3.put_bucket_policy(Bucket=bucket, Policy=policy)
            for key, (kind, body) in objects.items():
                s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind)

        return back

    @staticmethod
    def _objects(s3, bucket):
        """Every object of the bucket, as key -> (content type, bytes)."""
        objects, size = {}, 0
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", []):
                size += entry["Size"]
                if len(objects) >= MOST_OBJECTS or size > MOST_BYTES:
                    raise Refused(
                        409,
                        "bucket_too_large",
                        f"The bucket has more than {MOST_OBJECTS} objects or {MOST_BYTES >> 20} MiB, which "
                        "`repair` could not put back. Nothing was changed.",
                    )
                found = s3.get_object(Bucket=bucket, Key=entry["Key"])
                objects[entry["Key"]] = (found.get("ContentType", "binary/octet-stream"), found["Body"].read())
        return objects


@contextlib.contextmanager
def _as_answer():
    """An error of the emulator becomes an answer."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        raise Refused(409, "aws_refused", f"The emulated AWS answered: {error}") from error


def _or_none(ask):
    """What AWS says, or None where it says that there is nothing."""
    try:
        return ask()
    except botocore.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise


def _list(value):
    return value if isinstance(value, list) else [value]


def _text(document):
    """A policy document as text: botocore decodes it, the emulator may give it either way."""
    return document if isinstance(document, str) else json.dumps(document)
