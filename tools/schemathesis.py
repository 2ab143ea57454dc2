"""Runs schemathesis over the OpenAPI document as admin, as member, as operator and as nobody.

The requests are made from the document: examples, edge cases of each parameter and field, and random ones,
valid and invalid. Each answer must have a status, a content type and headers that the document declares and
a body that fits its schema, and no answer may be a 500. What the schema refuses, the service must refuse.

Not checked is that the service accepts whatever fits the schema: a schema does not say which ARN names a
role that exists.

Usage: schemathesis.py SECONDS [SEED]   (SECONDS for each caller; with a SEED the requests are the same
each time, as in `make test`: a run that fails can be repeated, and a change fails by what it changed)
"""

import json
import os
import subprocess
import sys
import typing

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import api_scene  # noqa: E402
from api_scene import expect, services  # noqa: E402

PROGRAM = os.path.join(services.BUILD, "schemathesis", "bin")
REPORTS = os.path.join(services.BUILD, "schemathesis-reports")
CHECKS = ",".join(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "ignored_auth",
    ]
)
# With the IDs of things that exist, these would take the things away from the requests that follow. They
# are called with other IDs, and by the operator on what it has made itself.
ENDING = [
    "delete_storage",
    "delete_project",
    "delete_webhook",
    "close_storage_setup",
    "complete_storage_setup",
    "change_storage",
    "change_storage_setup",
]
# A check of a bucket takes a second, with `wait` as long as it says.
SLOW = ["check_storage", "check_storage_setup"]


class Length(typing.NamedTuple):
    """How long each caller's run is, and whether its requests are the same each time."""

    seconds: int = 12
    seed: int | None = None


def write_config(path, ids, header):
    """Writes schemathesis' configuration: which IDs it uses, and what a negative test may be answered."""
    lines = ["[generation]", 'database = "none"', "[checks.not_a_server_error]"]
    # What the bucket or AWS answers to a random request is 502 to 504, with a problem that says so.
    lines += ['expected-statuses = ["2xx", "3xx", "4xx", "502", "503", "504"]']
    lines += ["[checks.negative_data_rejection]"]
    lines += ['expected-statuses = ["400", "401", "403", "404", "405", "406", "408", "409", "412", "413", "415", "416", "422", "429", "501", "502", "503"]']
    if ids:
        lines += ["[parameters]", *(f'"{name}" = {json.dumps(value)}' for name, value in ids.items())]
    if header:
        lines += ["[headers]", f'Authorization = "Bearer {header}"']
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def run(scene, name, token, ids, length, exclude=()):
    """One caller's run. Returns whether it found nothing."""
    config = os.path.join(scene.folder, f"{name}.toml")
    write_config(config, ids, token)
    command = [os.path.join(PROGRAM, "schemathesis"), "--config-file", config, "run"]
    command += [os.path.join(scene.folder, "openapi.json"), "--url", scene.url, "--checks", CHECKS]
    command += ["--max-time", str(length.seconds), "--continue-on-failure", "--request-timeout", "60", "--workers", "1"]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--warnings", "off", "--no-shrink"]
    command += ["--suppress-health-check", "all", "--output-truncate", "true"]
    if length.seed is not None:
        command += ["--seed", str(length.seed)]
    for operation in exclude:
        command += ["--exclude-operation-id", operation]
    os.makedirs(REPORTS, exist_ok=True)
    log = os.path.join(REPORTS, f"{name}.txt")
    with open(log, "w", encoding="utf-8") as file:
        done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, cwd=scene.folder, check=False)
    with open(log, encoding="utf-8") as file:
        lines = file.read().splitlines()
    summary = [line.strip() for line in lines if "generated" in line or "Tested:" in line]
    print(f"schemathesis as {name}: {'nothing found' if done.returncode == 0 else 'FAILED'}; {'; '.join(summary)}")
    if done.returncode != 0:
        print("\n".join(lines[-150:]))
        print(f"The whole report: {log}")
    return done.returncode == 0


def check_examples(scene):
    """Every example of the document fits its schema."""
    program = """
import json, sys, jsonschema_rs
document = json.load(open(sys.argv[1]))
bad = []
def schemas(of, where):
    for media, content in (of.get("content") or {}).items():
        if "example" in content and "schema" in content:
            schema = {**content["schema"], "components": document["components"]}
            schema = json.loads(json.dumps(schema))
            errors = list(jsonschema_rs.Draft202012Validator(schema).iter_errors(content["example"]))
            bad.extend(f"{where} {media}: {error.message}" for error in errors)
for path, item in document["paths"].items():
    for method, operation in item.items():
        schemas(operation.get("requestBody") or {}, f"{method} {path} body")
        for status, answer in operation["responses"].items():
            schemas(answer, f"{method} {path} {status}")
for name, answer in document["components"]["responses"].items():
    schemas(answer, name)
print("\\n".join(bad))
sys.exit(bool(bad))
"""
    document = os.path.join(scene.folder, "openapi.json")
    done = subprocess.run([os.path.join(PROGRAM, "python"), "-c", program, document], check=False)
    print(f"the examples of the document: {'fit their schemas' if done.returncode == 0 else 'FAILED'}")
    return done.returncode == 0


def main(length):
    # A check of a random setup must not use up the workspace's checks.
    with api_scene.scene(SALLYPORT_CHECKS_PER_MINUTE="100000") as scene:
        with open(os.path.join(scene.folder, "openapi.json"), "w", encoding="utf-8") as file:
            json.dump(expect(scene.operator("GET", "/openapi.json"), 200), file)
        storage = scene.storage("schemathesis")
        project = scene.project(storage)
        files = expect(scene.member("GET", f"/v1/storages/{storage['id']}/files", recursive="true"), 200)["files"]
        ids = {
            "path.storage_id": storage["id"],
            "path.setup_id": scene.setup()["id"],
            "path.project_id": project["id"],
            "path.webhook_id": scene.webhook()["id"],
            "query.wait": 0,
        }
        passed = [check_examples(scene)]
        roles = scene.workspace
        passed.append(run(scene, "admin", roles["admin"], ids, length, ENDING))
        passed.append(run(scene, "admin-other-ids", roles["admin"], {"query.wait": 0}, length))
        passed.append(run(scene, "member", roles["member"], {**ids, "query.key": files[0]["key"]}, length))
        passed.append(run(scene, "operator", scene.operator_token, {}, length))
        passed.append(run(scene, "nobody", None, ids, length))
        return 0 if all(passed) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(Length(*map(int, sys.argv[1:3]))))
    except (api_scene.SceneFailed, services.StartFailed) as error:
        print(f"schemathesis: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
