"""Builds the Python and the TypeScript client into .build/client-packages and .build/clients-ts.

What is generated comes from the OpenAPI document that the program prints, and the classes of errors from
docs/errors.md. Runs with any Python; `tools/install clients node` installs the generators.
"""

import json
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import dev_scene  # noqa: E402
import services  # noqa: E402

SOURCES = os.path.join(services.ROOT, "clients")
BIN = os.path.join(services.BUILD, "clients", "bin")
PYTHON = os.path.join(services.BUILD, "client-packages", "python")
LICENCES = ("LICENSE-APACHE", "LICENSE-MIT")
# Beside the modules that npm installed.
TYPESCRIPT = os.path.join(services.BUILD, "clients-ts")


class Failed(Exception):
    """A client cannot be generated, compiled or used."""


def run(what, command, **options):
    """Runs a step, and returns what it printed. Shows it if the step fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode != 0:
        raise Failed(f"{what} failed:\n{done.stdout}")
    return done.stdout


def codes():
    """The codes of errors with their meaning, from the table of docs/errors.md."""
    with open(os.path.join(services.ROOT, "docs", "errors.md"), encoding="utf-8") as file:
        table = file.read().split("## Codes", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^\| `([a-z0-9_]+)` \| [^|]+ \| (.+?) \|$", table, re.MULTILINE)
    # The first table has the codes of problems; a second one those of fields.
    first = table.split("| code in `errors`", 1)[0]
    return [(code, meaning) for code, meaning in found if f"| `{code}` |" in first]


def class_name(code):
    return "".join(part.capitalize() for part in code.split("_"))


def paths_with_keys(document):
    """The paths whose POST takes an idempotency key, as regular expressions for the end of a path."""
    found = []
    for path, item in document["paths"].items():
        names = [parameter.get("name") for parameter in item.get("post", {}).get("parameters", [])]
        if "Idempotency-Key" in names:
            parts = re.split(r"\{[^}]+\}", path)
            found.append("[^/]+".join(re.escape(part) for part in parts) + "$")
    return found


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def python_client(document_path):
    """Generates the Python package and builds its wheel. Returns the wheel's path."""
    shutil.rmtree(PYTHON, ignore_errors=True)
    shutil.copytree(os.path.join(SOURCES, "python"), PYTHON, ignore=shutil.ignore_patterns("__pycache__"))
    package = os.path.join(PYTHON, "sallyport")
    config = os.path.join(PYTHON, "generator.yaml")
    # Nothing formats what is generated: nobody reads it. The generator does not know the types of metrics and of lines of JSON.
    overrides = "".join(f"  {kind}: text/plain\n" for kind in ("application/openmetrics-text", "application/x-ndjson"))
    write(config, f"post_hooks: []\ncontent_type_overrides:\n{overrides}")
    said = run(
        "openapi-python-client",
        [os.path.join(BIN, "openapi-python-client"), "generate", "--path", document_path, "--meta", "none"]
        + ["--output-path", os.path.join(package, "rest"), "--config", config, "--fail-on-warning"],
    )
    if "WARNING" in said:
        raise Failed(f"openapi-python-client leaves something out:\n{said}")
    with open(document_path, encoding="utf-8") as file:
        patterns = paths_with_keys(json.load(file))
    lines = "".join(f"    re.compile({pattern!r}),\n" for pattern in patterns)
    write(
        os.path.join(package, "_routes.py"),
        '"""Generated from the OpenAPI document."""\n\nimport re\n\n'
        f"TAKES_IDEMPOTENCY_KEY: tuple[re.Pattern[str], ...] = (\n{lines})\n",
    )
    classes = "".join(
        f"class {class_name(code)}(SallyportError):\n    {json.dumps(meaning, ensure_ascii=False)}\n\n\n"
        for code, meaning in codes()
    )
    named = "".join(f'    "{code}": {class_name(code)},\n' for code, _ in codes())
    names = "".join(f'    "{class_name(code)}",\n' for code, _ in codes())
    write(
        os.path.join(package, "_codes.py"),
        '"""Generated from docs/errors.md."""\n\nfrom .errors import SallyportError\n\n'
        f"__all__ = [\n{names}]\n\n\n{classes}CLASSES: dict[str, type[SallyportError]] = {{\n{named}}}\n",
    )
    dist = os.path.join(PYTHON, "dist")
    run(
        "the wheel",
        [os.path.join(BIN, "python"), "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        + ["--no-build-isolation", "--no-index", "--wheel-dir", dist, PYTHON],
    )
    return os.path.join(dist, next(name for name in os.listdir(dist) if name.endswith(".whl")))


def typescript_client(document_path):
    """Generates and compiles the TypeScript package. Returns the path of what npm would publish."""
    for name in ("src", "dist", "walk"):
        shutil.rmtree(os.path.join(TYPESCRIPT, name), ignore_errors=True)
    source = os.path.join(SOURCES, "typescript")
    shutil.copytree(os.path.join(source, "src"), os.path.join(TYPESCRIPT, "src"))
    for name in ("package.json", "tsconfig.json", "generate.mjs", "README.md", *LICENCES):
        shutil.copy(os.path.join(source, name), TYPESCRIPT)
    run("openapi-typescript", ["node", "generate.mjs", document_path, "src/api.ts"], cwd=TYPESCRIPT)
    with open(document_path, encoding="utf-8") as file:
        patterns = paths_with_keys(json.load(file))
    write(
        os.path.join(TYPESCRIPT, "src", "routes.ts"),
        "// Generated from the OpenAPI document.\nexport const TAKES_IDEMPOTENCY_KEY: readonly RegExp[] = [\n"
        + "".join(f"  new RegExp({json.dumps(pattern)}),\n" for pattern in patterns)
        + "];\n",
    )
    classes = "".join(
        f"/** {meaning.replace('*/', '* /')} */\nexport class {class_name(code)} extends SallyportError {{}}\n\n"
        for code, meaning in codes()
    )
    named = "".join(f"  {code}: {class_name(code)},\n" for code, _ in codes())
    write(
        os.path.join(TYPESCRIPT, "src", "codes.ts"),
        '// Generated from docs/errors.md.\nimport { SallyportError } from "./problem.js";\n\n'
        f"{classes}export const CLASSES: Readonly<Record<string, typeof SallyportError>> = {{\n{named}}};\n",
    )
    run("tsc", [os.path.join("node_modules", ".bin", "tsc")], cwd=TYPESCRIPT)
    packed = run("npm pack", ["npm", "pack", "--silent", "--pack-destination", "dist"], cwd=TYPESCRIPT)
    return os.path.join(TYPESCRIPT, "dist", packed.strip().splitlines()[-1])


def main():
    os.makedirs(services.BUILD, exist_ok=True)
    document = os.path.join(services.BUILD, "openapi.json")
    write(document, run("`sallyport openapi`", [dev_scene.binary(), "openapi"]))
    print(python_client(document))
    print(typescript_client(document))


if __name__ == "__main__":
    try:
        main()
    except (Failed, OSError) as error:
        print(f"build-clients: {error}", file=sys.stderr)
        sys.exit(1)
