"""What the policy doctor and parliament say about the same policies, as a table.

Needs `parliament` (tools/compare-parliament-requirements.txt) and a built `sallyport`, whose path is the argument."""

import json
import pathlib
import subprocess
import sys
import tempfile

import parliament

ROOT = pathlib.Path(__file__).resolve().parent.parent
SET = ROOT / "tests/it/doctor/compared/policies.json"
KNOWN = [
    *["--bucket", "acme-data", "--access", "read", "--format", "json"],
    *["--external-id", "0f8fad5b-d9cb-469f-a165-70867728950e"],
    *["--service-principal", "arn:aws:iam::111122223333:root"],
]


def by_parliament(text):
    try:
        found = parliament.analyze_policy_string(text, ignore_private_auditors=True).findings
    except Exception as error:  # It ends with an exception for some policies, which is a result too.
        return [f"({type(error).__name__})"]
    return sorted({finding.issue for finding in found})


def by_the_doctor(program, name, text):
    kind = "trust_policy" if name.startswith("trust") else "permission_policy"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text)
        file.flush()
        run = subprocess.run(
            [program, "doctor", f"{kind}={file.name}", *KNOWN],
            capture_output=True, text=True, check=False,
        )
    return sorted({f["code"] for f in json.loads(run.stdout)["findings"]} - {"action_not_granted"})


def main():
    program = sys.argv[1]
    print("| policy | parliament | the doctor |\n|---|---|---|")
    for name, policy in json.loads(SET.read_text()).items():
        text = json.dumps(policy, indent=2)
        cells = (by_parliament(text), by_the_doctor(program, name, text))
        print(f"| {name} |", " | ".join(", ".join(f"`{c}`" for c in cell) or "–" for cell in cells), "|")


if __name__ == "__main__":
    main()
