"""Looks for secrets where they must not be.

The main job is done with recognisable secrets and the most verbose log, and every error on the way is
provoked too. Then the log, the bodies of all errors, the pages, the metrics and the database (SQLite's
files, and PostgreSQL's dump) are searched for each secret: as it is, in base64 (at each alignment), in
hexadecimal, percent-encoded, and escaped as in JSON.

Also searched for is what the run learns on the way: the tokens of the service's AWS sessions and the
signatures of its signed URLs. The search itself is tried first, on a text that has every form.
"""

import base64
import contextlib
import glob
import http.cookiejar
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import api_scene  # noqa: E402
from api_scene import Api, accounts, environment, expect, services  # noqa: E402

OPERATOR = "canary-operator-token/with+signs=0123456789"
MASTER_KEY = b"canary-master-key-of-32-bytes-!!"
SECRET_KEY = "canarySecretAccessKey/With+Signs0123456"
WRONG_TOKEN = "spt_canary-wrong-token-0123456789-0123456789"


class Found(Exception):
    """A secret was found."""


def forms(secret):
    """The byte strings by which a secret is recognised, by name."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    found = {"as it is": raw, "hexadecimal": raw.hex().encode(), "HEXADECIMAL": raw.hex().upper().encode()}
    found["percent-encoded"] = urllib.parse.quote(raw, safe="").encode()
    found["escaped as JSON"] = json.dumps(raw.decode("latin-1"))[1:-1].replace("/", "\\/").encode()
    for alignment in range(3):
        text = base64.b64encode(b"\0" * alignment + raw)
        # The first and the last characters depend on what surrounds the secret.
        core = text[(0, 2, 3)[alignment] :].rstrip(b"=")[: -1 if (len(raw) + alignment) % 3 else None]
        found[f"base64 ({alignment})"] = core
        found[f"base64url ({alignment})"] = core.replace(b"+", b"-").replace(b"/", b"_")
    return found


def search(where, content, secrets):
    """The secrets that are in this content, as text for the report. The secrets themselves are not shown."""
    return [
        f"{where} has {name}, {form}"
        for name, secret in secrets.items()
        for form, pattern in forms(secret).items()
        if len(pattern) >= 8 and pattern in content
    ]


def try_the_search():
    for form, pattern in forms(SECRET_KEY).items():
        if not search("a text", b"before " + pattern + b" after", {"the secret": SECRET_KEY}):
            raise Found(f"the search does not see the secret {form}")
    hidden = base64.b64encode(b"x" + SECRET_KEY.encode() + b"yz")
    if not search("a text", hidden, {"the secret": SECRET_KEY}):
        raise Found("the search does not see the secret in base64 of a longer text")


class Browser:
    """Somebody who is signed in to the pages."""

    def __init__(self, scene):
        self.url = scene.url
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.pages = []

    def get(self, path, form=None):
        url = path if path.startswith("http") else self.url + path
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        headers = {"Accept": "text/html", "Origin": self.url}
        try:
            with self.opener.open(urllib.request.Request(url, data=data, headers=headers), timeout=60) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        self.pages.append((path, body))
        return body.decode(errors="replace")


def main_job(scene, secrets, errors):
    """Does the main job and provokes errors; adds to `secrets` what it learns."""

    def call(api, method, path, body=None, **query):
        answer = api(method, path, body, **query)
        if answer.status >= 400:
            errors.append((f"{method} {path}", answer.content))
        return answer

    admin, member, nobody = scene.admin, scene.member, Api(scene.url, WRONG_TOKEN)
    secrets["the admin's token"] = scene.workspace["admin"]
    secrets["the member's token"] = scene.workspace["member"]
    storage = scene.storage("canary")
    files = f"/v1/storages/{storage['id']}/files"
    listed = expect(call(member, "GET", files, recursive="true"), 200)["files"]
    keys = [file["key"] for file in listed]
    for key in keys[:3]:
        call(member, "GET", f"{files}/content", key=key)
        call(member, "GET", f"{files}/metadata", key=key)
    signed = expect(call(member, "POST", f"{files}/sign", {"keys": keys[:2], "method": "GET"}), 200)["urls"]
    signed += expect(call(admin, "POST", f"{files}/sign", {"key": "/new", "method": "PUT"}), 200)["urls"]
    for at, entry in enumerate(signed):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(entry["url"]).query)
        secrets[f"the signature of URL {at}"] = query["X-Amz-Signature"][0]
        secrets["the AWS session's token"] = query["X-Amz-Security-Token"][0]
    scene.project(storage)

    # A storage by an access key: with the customer's own, and with one that AWS does not know.
    customer = scene.keys["customer"]
    secrets["the customer's secret access key"] = customer["secret_access_key"]
    secrets["a secret access key that AWS does not know"] = SECRET_KEY
    for key_id, secret in (
        (customer["access_key_id"], customer["secret_access_key"]),
        ("AKIACANARY0123456789", SECRET_KEY),
    ):
        setup = scene.setup(auth="access_key", access_key_id=key_id, secret_access_key=secret)
        path = f"/v1/storage-setups/{setup['id']}"
        call(admin, "POST", f"{path}/check")
        if call(admin, "POST", f"{path}/complete").status == 201:
            by_key = expect(call(admin, "GET", "/v1/storages"), 200)["storages"][-1]
            call(member, "GET", f"/v1/storages/{by_key['id']}/files")

    # Errors: each with a secret where a client can put one.
    for body in (
        {"secret_access_key": SECRET_KEY + "\n"},
        {"secret_access_key": [SECRET_KEY]},
        {"secret_acess_key": SECRET_KEY},
        {"access_key_id": "not an ID", "secret_access_key": SECRET_KEY, "bucket": "Not A Bucket"},
    ):
        call(admin, "POST", "/v1/storage-setups", body)
    call(nobody, "GET", "/v1/storages")
    call(Api(scene.url, OPERATOR + "x"), "GET", "/v1/workspaces")
    call(scene.operator, "GET", "/v1/storages")
    call(member, "POST", "/v1/storage-setups", {"secret_access_key": SECRET_KEY})
    call(member, "GET", f"{files}/content", key="/not-there")
    call(member, "GET", f"{files}/content", key="/../up")
    call(admin, "POST", f"{files}/sign", {"keys": ["/a"], "method": "POST"})
    call(admin, "GET", "/v1/storages", page_token="nonsense")

    # The role is gone: every call is refused by AWS.
    iam = accounts.client("iam", scene.aws_url, **customer)
    iam.put_role_policy(
        RoleName="canary",
        PolicyName="deny",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}),
    )
    call(member, "GET", files)
    call(member, "GET", f"{files}/content", key=keys[0])
    call(admin, "POST", f"/v1/storages/{storage['id']}/check")

    # The pages.
    link = environment_link(scene)
    secrets["the sign-in link's secret"] = link.rsplit("/", 1)[1]
    browser = Browser(scene)
    page = browser.get(link)
    form = dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page))
    action = re.search(r'<form[^>]*action="([^"]+)"', page)
    signed_in = browser.get(action.group(1) if action else link, form)
    for cookie in browser.jar:
        # It names a workspace, and opens nothing.
        if cookie.name.endswith("sallyport_left"):
            continue
        secrets[f"the cookie {cookie.name}"] = cookie.value
    for path in (
        "/settings/storages",
        f"/settings/setups/{setup['id']}?step=bucket",
        f"/settings/setups/{setup['id']}?step=check",
        f"/storages/{storage['id']}/files",
        "/projects/new",
        "/settings/setups/set_00000000000000000000000000000000",
    ):
        browser.get(path)
    if not any(b"canary" in body or b"Storages" in body for _, body in browser.pages[2:]) and not signed_in:
        raise Found("nobody is signed in to the pages")
    browser.get(link)
    return browser


def environment_link(scene):
    body = {"role": "admin", "purpose": "settings"}
    return expect(scene.operator("POST", f"/v1/workspaces/{scene.workspace['id']}/sign-in-links", body), 201)["url"]


def database(scene, postgres):
    """What the database has, by the name of its file or dump."""
    if postgres is None:
        found = glob.glob(os.path.join(scene.folder, "data", "*"))
        for path in found:
            if os.path.isfile(path) and "master" not in os.path.basename(path):
                with open(path, "rb") as file:
                    yield os.path.basename(path), file.read()
        return
    program = services.postgres_program("pg_dump")
    done = subprocess.run([program, "--dbname", postgres.url], capture_output=True, check=False)
    if done.returncode != 0:
        raise Found(f"pg_dump: {done.stderr.decode(errors='replace')}")
    yield "PostgreSQL's dump", done.stdout


def run(name, postgres):
    secrets = {
        "the operator's token": OPERATOR,
        "the master key": MASTER_KEY,
        "the master key's text": base64.b64encode(MASTER_KEY).decode(),
        "an unknown token": WRONG_TOKEN,
    }
    settings = {
        "SALLYPORT_LOG": "trace",
        "SALLYPORT_LOG_FORMAT": "json",
        "SALLYPORT_OPERATOR_TOKEN": OPERATOR,
        "SALLYPORT_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
    }
    if postgres is not None:
        settings["SALLYPORT_DATABASE_URL"] = postgres.url
        secrets["the database's password"] = postgres.password
    with api_scene.scene(**settings) as scene:
        secrets["the service's own secret access key"] = scene.keys["vendor"]["secret_access_key"]
        errors = []
        browser = main_job(scene, secrets, errors)
        metrics = urllib.request.urlopen(f"{scene.url}/metrics", timeout=30).read()
        found, size = [], 0
        with open(scene.service.log, "rb") as file:
            log = file.read()
        places = [("the log", log), ("the metrics", metrics)]
        places += [(f"the error of {where}", body) for where, body in errors]
        places += list(database(scene, postgres))
        for where, content in places:
            size += len(content)
            found += search(where, content, secrets)
        # A page may show a signed URL: that is what it is for.
        lasting = {n: s for n, s in secrets.items() if "URL" not in n and "session's" not in n}
        for where, content in browser.pages:
            size += len(content)
            found += search(f"the page {where.split('/sign-in/')[0]}", content, lasting)
        if len(log) < 20_000 or len(errors) < 12 or len(places) < 15:
            raise Found(f"the run did too little: {len(log)} bytes of log, {len(errors)} errors")
        if os.environ.get("CANARY_LOG"):
            with open(os.environ["CANARY_LOG"], "wb") as file:
                file.write(log)
        if found:
            raise Found(f"on {name}:\n" + "\n".join(sorted(set(found))))
        print(f"canary on {name}: {len(secrets)} secrets in no form in {size:,} bytes of log, errors, pages, metrics and database")


def main():
    try_the_search()
    run("SQLite", None)
    with contextlib.ExitStack() as stack:
        run("PostgreSQL", stack.enter_context(services.Postgres()))


if __name__ == "__main__":
    try:
        main()
    except (Found, api_scene.SceneFailed, services.StartFailed) as error:
        print(f"canary: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
