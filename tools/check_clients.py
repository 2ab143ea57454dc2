"""Builds the Python and the TypeScript client, compiles what uses them, and lets each do a product's walk against
`sallyport dev`."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import build_clients  # noqa: E402
import dev_scene  # noqa: E402
import services  # noqa: E402
from build_clients import Failed, run  # noqa: E402

TESTS = os.path.join(services.ROOT, "tests", "clients")
PYTHON_WALK = os.path.join(build_clients.PYTHON, "walk")
TYPESCRIPT_WALK = os.path.join(build_clients.TYPESCRIPT, "walk")


def check_contents(wheel, packed):
    """Refuses a package without its licences, or with anything that is not for its users."""
    with zipfile.ZipFile(wheel) as file:
        of_python = {name: file.read(name) for name in file.namelist()}
    with tarfile.open(packed) as file:
        of_typescript = {
            member.name.removeprefix("package/"): file.extractfile(member).read()
            for member in file.getmembers()
            if member.isfile()
        }
    for package, contents in (("Python", of_python), ("TypeScript", of_typescript)):
        for licence in build_clients.LICENCES:
            with open(os.path.join(services.ROOT, licence), "rb") as file:
                text = file.read()
            if text not in [content for name, content in contents.items() if name.rsplit("/", 1)[-1] == licence]:
                raise Failed(f"the {package} package has no {licence}, or another one than this repository")
    metadata = next(content.decode() for name, content in of_python.items() if name.endswith("/METADATA"))
    for line in ("License-Expression: MIT OR Apache-2.0", "Description-Content-Type: text/markdown"):
        if line not in metadata.splitlines():
            raise Failed(f"the Python package's metadata have no `{line}`")
    strange = [name for name in of_python if not name.startswith(("sallyport/", "sallyport-"))]
    expected = ("package.json", "README.md", *build_clients.LICENCES)
    strange += [name for name in of_typescript if name not in expected and not name.startswith("dist/")]
    if strange:
        raise Failed(f"the packages have files that are for nobody: {', '.join(strange)}")
    # Registries show the README by itself.
    readme = of_typescript["README.md"].decode() + metadata
    if "](../" in readme:
        raise Failed("a README has a link that leads nowhere outside of this repository")


def python_walk(wheel, environment):
    python = os.path.join(build_clients.BIN, "python")
    os.makedirs(PYTHON_WALK)
    installed = os.path.join(PYTHON_WALK, "installed")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    run("the wheel's installation", [*install, "--target", installed, wheel])
    shutil.copy(os.path.join(TESTS, "walk.py"), PYTHON_WALK)
    run(
        "mypy",
        [os.path.join(build_clients.BIN, "mypy"), "--strict", "walk.py", os.path.join(installed, "sallyport")],
        cwd=PYTHON_WALK,
        env={**environment, "MYPYPATH": installed},
    )
    print(run("the Python client", [python, "walk.py"], cwd=PYTHON_WALK, env={**environment, "PYTHONPATH": installed}), end="")


def typescript_walk(packed, environment):
    # As npm would install what it would publish. The modules that it needs are in a folder above.
    installed = os.path.join(TYPESCRIPT_WALK, "node_modules", "@sallyport", "client")
    os.makedirs(installed)
    run("the package's installation", ["tar", "-xzf", packed, "-C", installed, "--strip-components", "1"])
    build_clients.write(os.path.join(TYPESCRIPT_WALK, "package.json"), '{"private": true, "type": "module"}\n')
    for name in ("walk.ts", "tsconfig.json"):
        shutil.copy(os.path.join(TESTS, name), TYPESCRIPT_WALK)
    compiler = os.path.join(build_clients.TYPESCRIPT, "node_modules", ".bin", "tsc")
    run("tsc", [compiler], cwd=TYPESCRIPT_WALK)
    walk = ["node", os.path.join("out", "walk.js")]
    print(run("the TypeScript client", walk, cwd=TYPESCRIPT_WALK, env=environment), end="")


def main():
    os.makedirs(services.BUILD, exist_ok=True)
    document = os.path.join(services.BUILD, "openapi.json")
    build_clients.write(document, run("`sallyport openapi`", [dev_scene.binary(), "openapi"]))
    wheel = build_clients.python_client(document)
    packed = build_clients.typescript_client(document)
    check_contents(wheel, packed)
    with dev_scene.scene() as dev:
        environment = dev_scene.environment(**dev.variables(), BUCKET=dev_scene.CUSTOMER_BUCKET)
        python_walk(wheel, environment)
        typescript_walk(packed, environment)


if __name__ == "__main__":
    try:
        main()
    except (Failed, dev_scene.SceneFailed, services.StartFailed, subprocess.SubprocessError) as error:
        print(f"check-clients: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
