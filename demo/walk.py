"""`make demo-walk`: the main workflow over the API, step by step. Every response is checked.

Uses the running demo or starts one. The exit status is not 0 if any response differs from what is expected.
"""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import uuid

sys.dont_write_bytecode = True
import accounts  # noqa: E402
import environment  # noqa: E402
from api import Api, download  # noqa: E402
from environment import DemoFailed, say, services  # noqa: E402
from samples import sample_files  # noqa: E402

PREFIX = "team/"
CHECK_STEPS = [
    "assume_role",
    "refuses_missing_external_id",
    "refuses_wrong_external_id",
    "get_bucket_location",
    "bucket_owner",
    "list_bucket",
    "get_object",
    "put_object",
    "delete_object",
    "cors",
]
DOCUMENTS = [
    "permission_policy",
    "trust_policy",
    "cors",
    "lifecycle",
    "bucket_policy",
    "cli",
    "cloudformation",
    "terraform",
]


class Differs(Exception):
    """A response differs from what was expected."""


def expect(what, found, wanted):
    if found != wanted:
        raise Differs(f"{what}:\n  expected {wanted!r}\n  found    {found!r}")


def expect_status(answer, status):
    if answer.status != status:
        body = answer.content.decode(errors="replace")
        raise Differs(f"expected status {status}, found {answer.status}:\n{body}")
    return answer.json


def step(text):
    say(f"\n== {text}")


def detail(text):
    say(f"   {text}")


def samples_below_prefix():
    """The samples that the storage may show, as file key -> bytes."""
    return {
        "/" + key.removeprefix(PREFIX): body
        for key, (_, body) in sample_files().items()
        if key.startswith(PREFIX)
    }


class Walk:
    def __init__(self, state):
        self.state = state
        self.admin = Api(state["url"], state["workspace"]["admin"])
        self.member = Api(state["url"], state["workspace"]["member"])
        self.run = secrets.token_hex(4)
        self.folder = os.path.join(environment.FOLDER, "walk")
        os.makedirs(self.folder, exist_ok=True)

    def open_setup(self, display_name):
        """Opens a setup for the customer's bucket; returns it and its documents."""
        setup = expect_status(self.admin("POST", "/v1/storage-setups", {}), 201)
        expect("the version of the external ID", uuid.UUID(setup["external_id"]).version, 4)
        detail(f"{setup['id']}, external ID {setup['external_id']}")
        changed = expect_status(
            self.admin(
                "PATCH",
                f"/v1/storage-setups/{setup['id']}",
                {
                    "display_name": display_name,
                    "bucket": accounts.CUSTOMER_BUCKET,
                    "prefix": "team",
                    "access": "read_write",
                },
            ),
            200,
        )
        expect("the prefix, with its slash", changed["prefix"], PREFIX)
        expect("the external ID", changed["external_id"], setup["external_id"])
        documents = expect_status(self.admin("GET", f"/v1/storage-setups/{setup['id']}/documents"), 200)
        expect("the documents that are missing", [name for name in DOCUMENTS if name not in documents], [])
        trust = json.dumps(documents["trust_policy"])
        expect("the trust policy names the external ID", setup["external_id"] in trust, True)
        return setup, documents

    def provision(self, documents):
        """The customer's administrator runs `sallyport provision`. Returns the role's ARN."""
        path = os.path.join(self.folder, f"documents-{self.run}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(documents, file)
        command = [environment.binary(), "provision", path, "--bucket", accounts.CUSTOMER_BUCKET]
        command += ["--role-name", f"sallyport-{self.run}", "--output", "json", "--yes"]
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        credentials = environment.aws_environment(self.state["aws_url"], self.state["keys"]["customer"])
        done = subprocess.run(command, env={**kept, **credentials}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Differs(f"`sallyport provision` exited with {done.returncode}:\n{done.stdout}{done.stderr}")
        summary = json.loads(done.stdout)
        for part in ("role", "permission_policy", "cors", "lifecycle"):
            detail(f"{part:<18} {summary[part]}")
        return summary["role_arn"]

    def check(self, setup, role_arn):
        """Enters the role's ARN and checks the connection, waiting up to a minute for IAM."""
        path = f"/v1/storage-setups/{setup['id']}"
        changed = expect_status(self.admin("PATCH", path, {"role_arn": role_arn}), 200)
        expect("the role ARN", changed["role_arn"], role_arn)
        report = expect_status(self.admin("POST", f"{path}/check", wait=60), 200)
        expect("the steps of the check", [found["name"] for found in report["steps"]], CHECK_STEPS)
        for found in report["steps"]:
            problem = (found.get("problem") or {}).get("title") or found.get("skipped_because") or ""
            detail(f"{found['name']:<28} {found['status']:<8} {found['duration_ms']:>5} ms  {problem}".rstrip())
        detail(f"outcome: {report['outcome']}")
        return report

    def connect(self):
        step("The workspace admin opens the dialog")
        setup, documents = self.open_setup(f"Acme's team folder {self.run}")
        other = expect_status(self.admin("POST", "/v1/storage-setups", {}), 201)
        expect("another dialog has another external ID", other["external_id"] != setup["external_id"], True)
        closed = self.admin("DELETE", f"/v1/storage-setups/{other['id']}")
        expect("closing a setup succeeds", closed.status in (200, 204), True)

        step("A storage cannot be added before a check has passed")
        refused = expect_status(self.admin("POST", f"/v1/storage-setups/{setup['id']}/complete"), 409)
        expect("the problem's code", refused["code"], "check_required")
        detail(f"409 {refused['code']}: {refused['detail']}")

        step("The customer's AWS administrator applies exactly the rendered documents")
        role_arn = self.provision(documents)
        detail(role_arn)

        step("Check connection")
        report = self.check(setup, role_arn)
        failed = [found["name"] for found in report["steps"] if found["status"] in ("failed", "skipped")]
        expect("the steps that did not pass", failed, [])
        expect("the outcome is a pass", report["outcome"] in ("passed", "passed_with_warnings"), True)

        step("Add the storage")
        storage = expect_status(self.admin("POST", f"/v1/storage-setups/{setup['id']}/complete"), 201)
        expect("the storage's prefix", storage["prefix"], PREFIX)
        detail(f"{storage['id']} in {storage['region']}, {storage['health']['state']}")
        return storage

    def browse(self, storage):
        step("A member browses the storage")
        path = f"/v1/storages/{storage['id']}/files"
        expected = samples_below_prefix()
        top = expect_status(self.member("GET", path, folder="/"), 200)
        folders = sorted({"/" + key.split("/")[1] + "/" for key in expected if key.count("/") > 1})
        expect("the folders", sorted(folder["key"] for folder in top["folders"]), folders)
        expect(
            "the files at the top",
            sorted(file["key"] for file in top["files"]),
            sorted(key for key in expected if key.count("/") == 1),
        )
        detail("folders " + ", ".join(folders))

        step("Page by page, everything below the prefix and nothing outside it")
        found, query = [], {"folder": "/", "recursive": "true", "page_size": 5}
        while True:
            page = expect_status(self.member("GET", path, **query), 200)
            expect("at most five on a page", len(page["files"]) <= 5, True)
            found += [file["key"] for file in page["files"]]
            if not page.get("next_page_token"):
                break
            query["page_token"] = page["next_page_token"]
        expect("all files below the prefix", sorted(found), sorted(expected))
        for key in sorted(found):
            detail(key)

        step("Metadata of every file, including unusual keys")
        for key, body in expected.items():
            metadata = expect_status(self.member("GET", f"{path}/metadata", key=key), 200)
            expect(f"key and size of {key}", (metadata["key"], metadata["size"]), (key, len(body)))
        detail(f"{len(expected)} files have the right size")
        outside = self.member("GET", f"{path}/metadata", key="/../team-b/secret.txt")
        expect("a key that leaves the prefix is refused", outside.status, 422)

    def project(self, storage):
        expected = samples_below_prefix()
        keys = sorted(key for key in expected if not key.startswith("/texts/"))

        step("Missing files are all reported, and nothing is created")
        body = {"name": f"Missing {self.run}", "storage_id": storage["id"]}
        body["files"] = [{"file_key": key} for key in ["/no/such.png", keys[0], "/nor/this.png"]]
        refused = expect_status(self.member("POST", "/v1/projects", body), 422)
        expect("the problem's code", refused["code"], "missing_files")
        text = json.dumps(refused)
        expect("both keys are named", "/no/such.png" in text and "/nor/this.png" in text, True)
        detail(f"422 {refused['code']}: {refused['detail']}")

        step("A member creates a project from file keys")
        body = {"name": f"Rings {self.run}", "storage_id": storage["id"]}
        body["files"] = [{"file_key": key} for key in keys]
        project = expect_status(self.member("POST", "/v1/projects", body), 201)
        expect("its status", project["status"], "ready")
        expect("its number of files", project["file_count"], len(keys))
        expect("its size", project["total_size"], sum(len(expected[key]) for key in keys))
        detail(f"{project['id']} has {project['file_count']} files, {project['total_size']} bytes")

        listed = expect_status(self.member("GET", f"/v1/projects/{project['id']}/files"), 200)
        found = [file.get("file_key") or file.get("key") for file in listed["files"]]
        expect("its files", sorted(found), keys)

        step("Signed URLs download the exact bytes")
        path = f"/v1/storages/{storage['id']}/files/sign"
        signed = expect_status(self.member("POST", path, {"keys": keys, "method": "GET", "expires_in": 300}), 200)
        expect("the signed keys", [entry["key"] for entry in signed["urls"]], keys)
        for entry in signed["urls"]:
            content = download(entry["url"], entry.get("headers"))
            expect(f"the bytes of {entry['key']}", content == expected[entry["key"]], True)
        detail(f"{len(keys)} files are identical byte for byte; the links expire at {signed['urls'][0]['expires_at']}")

    def refuse_unguarded_role(self):
        step("The customer makes another role by hand, without the external-ID condition")
        setup, documents = self.open_setup(f"Unguarded {self.run}")
        role_arn = accounts.unguarded_role(
            self.state["aws_url"],
            self.state["keys"]["customer"],
            f"unguarded-{self.run}",
            documents["trust_policy"],
            documents["permission_policy"],
        )
        detail(role_arn)

        step("The check finds that the role accepts everybody in the product's account")
        report = self.check(setup, role_arn)
        expect("the outcome", report["outcome"], "failed")
        status = {found["name"]: found["status"] for found in report["steps"]}
        expect("assuming the role works", status["assume_role"], "passed")
        expect("it accepts a call without the ID", status["refuses_missing_external_id"], "failed")
        expect("it accepts a wrong ID", status["refuses_wrong_external_id"], "failed")

        step("It cannot be added")
        refused = expect_status(self.admin("POST", f"/v1/storage-setups/{setup['id']}/complete"), 409)
        expect("the problem's code", refused["code"], "check_required")
        detail(f"409 {refused['code']}: {refused['detail']}")
        listed = expect_status(self.admin("GET", "/v1/storages"), 200)
        arns = [storage.get("role_arn") for storage in listed["storages"]]
        expect("no storage has this role", role_arn in arns, False)
        self.admin("DELETE", f"/v1/storage-setups/{setup['id']}")


def main():
    try:
        with contextlib.ExitStack() as stack:
            state = environment.running()
            if state:
                say(f"Using the demo running at {state['url']}.")
            else:
                say("Starting the demo.")
                state, _ = stack.enter_context(environment.demo())
            walk = Walk(state)
            storage = walk.connect()
            walk.browse(storage)
            walk.project(storage)
            walk.refuse_unguarded_role()
    except Differs as difference:
        say(f"\nNot as expected: {difference}")
        say(f"The service's log is {os.path.join(environment.FOLDER, 'service.log')}.")
        return 1
    except (DemoFailed, services.StartFailed) as error:
        say(f"demo-walk: {error}")
        return 1
    say("\nEverything is as expected.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
