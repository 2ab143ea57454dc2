"""Generates clients from the OpenAPI document, compiles them, and runs the main job with each.

What is generated goes to .build/clients-generated and .build/clients-ts.
"""

import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import api_scene  # noqa: E402
from api_scene import accounts, environment, expect, services  # noqa: E402

TESTS = os.path.join(services.ROOT, "tests", "clients")
PYTHON = os.path.join(services.BUILD, "clients", "bin")
GENERATED = os.path.join(services.BUILD, "clients-generated")
TYPESCRIPT = os.path.join(services.BUILD, "clients-ts")


class Failed(Exception):
    """A client cannot be generated, compiled or used."""


def run(what, command, **options):
    """Runs a step. Shows its output only if it fails, or where a warning means that something is missing."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode != 0:
        raise Failed(f"{what} failed:\n{done.stdout}")
    return done.stdout


def python_client(document, environ):
    shutil.rmtree(GENERATED, ignore_errors=True)
    os.makedirs(GENERATED)
    config = os.path.join(GENERATED, "config.yaml")
    with open(config, "w", encoding="utf-8") as file:
        # Nothing formats what is generated: nobody reads it. The generator does not know the metrics' type.
        file.write("post_hooks: []\ncontent_type_overrides:\n  application/openmetrics-text: text/plain\n")
    said = run(
        "openapi-python-client",
        [os.path.join(PYTHON, "openapi-python-client"), "generate", "--path", document, "--meta", "none"]
        + ["--output-path", os.path.join(GENERATED, "sallyport_client"), "--config", config, "--fail-on-warning"],
    )
    if "WARNING" in said:
        raise Failed(f"openapi-python-client leaves something out:\n{said}")
    shutil.copy(os.path.join(TESTS, "main_job.py"), GENERATED)
    run("mypy", [os.path.join(PYTHON, "mypy"), "--strict", "main_job.py", "sallyport_client"], cwd=GENERATED)
    print(run("the Python client", [os.path.join(PYTHON, "python"), "main_job.py"], cwd=GENERATED, env=environ), end="")


def typescript_client(document, environ):
    for name in ("main-job.ts", "generate.mjs", "tsconfig.json"):
        shutil.copy(os.path.join(TESTS, name), TYPESCRIPT)
    run("openapi-typescript", ["node", "generate.mjs", document, "api.d.ts"], cwd=TYPESCRIPT)
    run("tsc", [os.path.join("node_modules", ".bin", "tsc")], cwd=TYPESCRIPT)
    print(run("the TypeScript client", ["node", os.path.join("out", "main-job.js")], cwd=TYPESCRIPT, env=environ), end="")


def administrator(scene, name):
    """A program that applies the documents of its input as the customer's administrator."""
    path = os.path.join(scene.folder, f"provision-{name}")
    file_name = os.path.join(scene.folder, f"{name}.json")
    binary = environment.binary()
    script = f"""#!/usr/bin/env python3
import json, os, subprocess, sys
with open({file_name!r}, "w") as file:
    file.write(sys.stdin.read())
command = [{binary!r}, "provision", {file_name!r}, "--bucket", {accounts.CUSTOMER_BUCKET!r}]
command += ["--role-name", {name!r}, "--output", "json", "--yes"]
done = subprocess.run(command, env={scene.customer()!r}, stdout=subprocess.PIPE, check=True)
print(json.loads(done.stdout)["role_arn"])
"""
    with open(path, "w", encoding="utf-8") as file:
        file.write(script)
    return [sys.executable, path]


def main():
    with api_scene.scene() as scene:
        document = os.path.join(scene.folder, "openapi.json")
        with open(document, "w", encoding="utf-8") as file:
            json.dump(expect(scene.operator("GET", "/openapi.json"), 200), file)
        for name, client in (("python-client", python_client), ("typescript-client", typescript_client)):
            kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
            client(
                document,
                {
                    **kept,
                    "SALLYPORT_URL": scene.url,
                    "SALLYPORT_TOKEN": scene.workspace["admin"],
                    "BUCKET": accounts.CUSTOMER_BUCKET,
                    "PROVISION": json.dumps(administrator(scene, name)),
                },
            )


if __name__ == "__main__":
    try:
        main()
    except (Failed, api_scene.SceneFailed, services.StartFailed) as error:
        print(f"check-clients: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
