"""account, waiting, choices, lists, pasted, links, untouched"""
from lib import *
import sqlite3, glob
C = CUSTOMER
def get(w, s, svc=None): return status((svc or w.svc()).admin("GET", f"/v1/storage-setups/{s['id']}"), 200)
def patch(w, s, body, svc=None): return (svc or w.svc()).admin("PATCH", f"/v1/storage-setups/{s['id']}", body)
def check(w, s, wait=0): return status(w.svc().admin("POST", f"/v1/storage-setups/{s['id']}/check", wait=wait), 200)
def complete(w, s): return w.svc().admin("POST", f"/v1/storage-setups/{s['id']}/complete")
def failed(r): return [(x["name"], (x.get("problem") or {}).get("code")) for x in r["steps"] if x["status"] == "failed"]

@trial("account", "A", "customer_account_id in POST gives expected_role_arn of that account, role_arn null")
def account_at_creation(w):
    s = w.setup(customer_account_id=C); want(str(s.get("expected_role_arn")).startswith(f"arn:aws:iam::{C}:role/") and s["role_arn"] is None and s["customer_account_id"] == C, s)
@trial("account", "A", "PATCH customer_account_id predicts, null takes it back")
def account_by_patch(w):
    s = w.setup(); want(s.get("expected_role_arn") is None, s); a = status(patch(w, s, {"customer_account_id": C}), 200); want(a["expected_role_arn"], a)
    want(status(patch(w, s, {"customer_account_id": None}), 200).get("expected_role_arn") is None, "still there")
for bad in ("2222", "22222222222a", "2222222222222", " ", "arn:aws:iam::222222222222:root"):
    def f(w, bad=bad):
        r = w.svc().admin("POST", "/v1/storage-setups", {"bucket": "acme-data", "customer_account_id": bad}); status(r, 422); want("customer_account_id" in [e["field"] for e in r.json.get("errors", [])], r.json)
    f.__name__ = "account_refused_" + bad.strip().replace(":", "_"); trial("account", "A", f"account {bad!r} is 422 with the field named")(f)
@trial("account", "A", "role name is deterministic, one for each setup, at most 64 characters with a bucket of 63")
def role_name_rules(w):
    a, b = w.setup(customer_account_id=C, bucket="b" * 63), w.setup(customer_account_id=C, bucket="b" * 63)
    want(get(w, a)["expected_role_arn"] == a["expected_role_arn"] != b["expected_role_arn"], [a["expected_role_arn"], b["expected_role_arn"]]); want(len(role_name(a["expected_role_arn"])) <= 64, a["expected_role_arn"])
@trial("account", "A", "role_path goes into the expected ARN; a path without slashes is 422")
def role_path(w):
    s = w.setup(customer_account_id=C, role_path="/vendors/"); want(":role/vendors/" in s["expected_role_arn"], s["expected_role_arn"]); status(patch(w, s, {"role_path": "ven dors"}), 422)
@trial("account", "A", "permissions_boundary_arn is taken and comes back; another ARN is 422")
def boundary(w):
    s = w.setup(customer_account_id=C, permissions_boundary_arn=f"arn:aws:iam::{C}:policy/edge"); want(s["permissions_boundary_arn"].endswith("policy/edge"), s); status(patch(w, s, {"permissions_boundary_arn": "edge"}), 422)
@trial("account", "A", "documents with an account alone name the expected role in CLI, CloudFormation, Terraform")
def documents_name_role(w):
    s = w.setup(customer_account_id=C); d = w.docs(s); n = role_name(s["expected_role_arn"])
    want(all(n in d[k] for k in ("cli", "cloudformation", "terraform")), n); want(C in d["cli"], "no account guard")
@trial("account", "A", "bucket_policy is null until the role exists, and there after a passed check")
def bucket_policy_late(w):
    s = w.setup(customer_account_id=C); d = w.docs(s); want(d["bucket_policy"] is None, "offered before the role exists")
    w.make_role(role_name(s["expected_role_arn"]), d); w.set_cors(s["bucket"], d); r = check(w, s, 20); want(r["outcome"] != "failed", failed(r)); want(w.docs(s)["bucket_policy"] is not None, "still null after a pass")
@trial("account", "A", "check before the role: assume_role fails, says 'Not there yet, or it refuses us' with the whole ARN")
def check_before(w):
    s = w.setup(customer_account_id=C); r = check(w, s); p = r["steps"][0]["problem"]; t = plain(json.dumps(p))
    want("ot there yet, or it refuses us" in t and s["expected_role_arn"] in t, p)
@trial("account", "A", "check, complete with the account alone; the storage's role_arn is the expected one")
def whole_way(w):
    s = w.setup(customer_account_id=C); d = w.docs(s); w.make_role(role_name(s["expected_role_arn"]), d); w.set_cors(s["bucket"], d)
    r = check(w, s, 30); want(r["outcome"] != "failed", failed(r)); want(status(complete(w, s), 201)["role_arn"] == s["expected_role_arn"], "other role")
@trial("account", "A", "a role_arn given goes before the expected one")
def given_role(w):
    s = w.setup(customer_account_id=C); d = w.docs(s); n = w.fresh("mine"); w.make_role(n, d); w.set_cors(s["bucket"], d)
    status(patch(w, s, {"role_arn": f"arn:aws:iam::{C}:role/{n}"}), 200); r = check(w, s, 30); want(r["outcome"] != "failed", failed(r)); want(status(complete(w, s), 201)["role_arn"].endswith(n), "other role")
@trial("account", "A", "a role of another partition is refused in words that name the partition")
def partition(w):
    r = w.svc().admin("POST", "/v1/storage-setups", {"bucket": "acme-data", "role_arn": f"arn:aws-cn:iam::{C}:role/x"}); status(r, 422); want("partition" in r.text, r.text[:400])
@trial("account", "A", "an account root's ARN: 'Enter a role ARN'")
def root_arn(w):
    r = w.svc().admin("POST", "/v1/storage-setups", {"bucket": "acme-data", "role_arn": f"arn:aws:iam::{C}:root"}); status(r, 422); want("This is the ARN of an account root. Enter a role ARN." in plain(r.text), r.text[:400])
@trial("account", "A", "access keys have no expected role")
def keys_no_role(w):
    s = w.setup(auth="access_key", customer_account_id=C); want(s.get("expected_role_arn") is None, s)
@trial("account", "A", "another workspace gets 404 for PATCH, events, buckets, folders, administrator-links")
def isolation(w):
    s = w.setup(customer_account_id=C); p = f"/v1/storage-setups/{s['id']}"; a = w.svc().admin2
    got = [a("PATCH", p, {"customer_account_id": C}).status, a("GET", p + "/events", timeout=10).status, a("GET", p + "/buckets").status, a("GET", p + "/folders").status, a("GET", p + "/administrator-links").status, a("POST", p + "/administrator-links", {}).status]
    want(got == [404] * 6, got)
    b = [w.svc().admin("GET", p + x, timeout=10).status for x in ("/buckets", "/administrator-links")]; want(404 not in b, f"own: {b}")

class Events:
    def __init__(self, w, s, token=None):
        self.r = requests.get(w.svc().url + f"/v1/storage-setups/{s['id']}/events", headers={"Authorization": f"Bearer {token or w.svc().admin.token}", "Accept": "text/event-stream"}, stream=True, timeout=(5, 90))
        self.names, self.data = [], []
        if self.r.status_code == 200: self.t = threading.Thread(target=self.read, daemon=True); self.t.start()
    def read(self):
        name = None
        with contextlib.suppress(Exception):
            for l in self.r.iter_lines(chunk_size=1):
                l = l.decode()
                if l.startswith("event:"): name = l[6:].strip()
                elif l.startswith("data:"): self.data.append((name, l[5:].strip()))
                elif not l and name: self.names.append(name); name = None
    def until(self, name, seconds):
        end = time.time() + seconds
        while time.time() < end:
            if name in self.names: return True
            time.sleep(0.1)
        return False
    def close(self): self.r.close()
def open_events(w, s):
    e = Events(w, s); want(e.r.status_code == 200 and "text/event-stream" in e.r.headers.get("Content-Type", ""), f"{e.r.status_code} {e.r.headers.get('Content-Type')}"); return e
@trial("waiting", "A", "GET …/events is a text/event-stream")
def stream(w): open_events(w, w.setup(customer_account_id=C)).close()
@trial("waiting", "A", "no token 401")
def stream_401(w):
    s = w.setup(customer_account_id=C); want(requests.get(w.svc().url + f"/v1/storage-setups/{s['id']}/events", timeout=10).status_code == 401, "not 401")
@trial("waiting", "A", "role_appeared within 12 s of the role, not before")
def appears(w):
    s = w.setup(customer_account_id=C); e = open_events(w, s); want(not e.until("role_appeared", 7), "before the role"); w.make_role(role_name(s["expected_role_arn"]), w.docs(s)); want(e.until("role_appeared", 12), e.names)
@trial("waiting", "A", "a definite refusal remembered by a check does not delay role_appeared")
def past_refusals(w):
    s = w.setup(customer_account_id=C); check(w, s); e = open_events(w, s); w.make_role(role_name(s["expected_role_arn"]), w.docs(s)); want(e.until("role_appeared", 10), e.names)
@trial("waiting", "A", "a stream opened after the role appeared says so")
def opened_late(w):
    s = w.setup(customer_account_id=C); w.make_role(role_name(s["expected_role_arn"]), w.docs(s)); e = open_events(w, s); want(e.until("role_appeared", 12), e.names)
@trial("waiting", "A", "check_finished and completed come, with JSON data")
def finished(w):
    s = w.setup(customer_account_id=C); d = w.docs(s); e = open_events(w, s); w.make_role(role_name(s["expected_role_arn"]), d); w.set_cors(s["bucket"], d)
    check(w, s, 30); want(e.until("check_finished", 8), e.names); status(complete(w, s), 201); want(e.until("completed", 8), e.names); [json.loads(x) for _, x in e.data]
@trial("waiting", "A", "without a page: the role is noticed within about 45 s (setup shows it, or a stream opened then at once)")
def without_page(w):
    s = w.setup(customer_account_id=C); w.make_role(role_name(s["expected_role_arn"]), w.docs(s)); end = time.time() + 50
    while time.time() < end:
        if any("role_appeared" in k and v for k, v in get(w, s).items()): return
        time.sleep(2)
    e = open_events(w, s); want(e.until("role_appeared", 2), "nothing noticed: " + json.dumps(get(w, s))[:500])
@trial("waiting", "A", "a closed setup's events are refused or end")
def closed(w):
    s = w.setup(customer_account_id=C); status(w.svc().admin("DELETE", f"/v1/storage-setups/{s['id']}"), 200, 204); e = Events(w, s)
    if e.r.status_code == 200: e.t.join(6); want(not e.t.is_alive(), "stays open")
@trial("waiting", "D", "page without script: heading 'Waiting for the role' and the expected ARN")
def waiting_page(w):
    s = w.setup(customer_account_id=C); t = w.svc().browser().text(f"/settings/setups/{s['id']}?step=check"); want("Waiting for the role" in t, t[:600]); want(s["expected_role_arn"] in t.replace(" ", ""), "no ARN")

# choices
@trial("choices", "B", "read_write: object_acls, object_versions, lifecycle, browser_access default to true")
def defaults_rw(w): s = w.setup(); want(all(s.get(k) is True for k in ("object_acls", "object_versions", "lifecycle", "browser_access")), s)
@trial("choices", "B", "read: object_acls and object_versions default to false, document lifecycle is null")
def defaults_r(w): s = w.setup(access="read"); want(s.get("object_acls") is False and s.get("object_versions") is False, s); want(w.docs(s)["lifecycle"] is None, "lifecycle")
@trial("choices", "B", "defaults follow access by PATCH unless given")
def follow(w):
    s = w.setup(); a = status(patch(w, s, {"access": "read"}), 200); want(a.get("object_acls") is False and a.get("object_versions") is False, a)
    s = w.setup(object_acls=True); a = status(patch(w, s, {"access": "read"}), 200); want(a["object_acls"] is True, "given one not kept")
for field, calls in (("object_acls", lambda st: [("GET", f"/v1/storages/{st}/files/acl", None), ("PUT", f"/v1/storages/{st}/files/acl", {"acl": "private"})]),
                     ("object_versions", lambda st: [("GET", f"/v1/storages/{st}/files/versions", None)])):
    def f(w, field=field, calls=calls):
        st, s, _ = w.connect(**{field: False}); want(st.get(field) is False, st); got = []
        for m, p, b in calls(st["id"]):
            r = w.svc().admin(m, p, b, key="/a.txt"); got.append((r.status, (r.json or {}).get("code"))); want((r.json or {}).get("detail"), "no words")
        want(set(got) == {(409, "not_granted")}, got)
    f.__name__ = field + "_not_granted"; trial("choices", "B", f"{field} false: check passes, operations are 409 not_granted")(f)
@trial("choices", "B", "object_versions false: delete of a version is 409 not_granted, of a file works")
def version_delete(w):
    st, _, _ = w.connect(object_versions=False); p = f"/v1/storages/{st['id']}/files"; r = w.svc().admin("DELETE", p, key="/a.txt", version_id="abc"); want((r.status, (r.json or {}).get("code")) == (409, "not_granted"), r.text[:300]); status(w.svc().admin("DELETE", p, key="/a.txt"), 200, 204)
@trial("choices", "B", "browser_access false: cors null, its step skipped with a reason, no CORS needed")
def no_cors(w):
    s = w.setup(browser_access=False); d = w.docs(s); want(d["cors"] is None, "cors"); n = w.fresh("role"); w.make_role(n, d); status(patch(w, s, {"role_arn": f"arn:aws:iam::{C}:role/{n}"}), 200)
    r = check(w, s, 20); x = r["steps"][-1]; want(r["outcome"] != "failed" and x["status"] == "skipped" and x.get("skipped_because"), x)
@trial("choices", "B", "GetBucketLocation missing is a warning with a patch, never a failure")
def location(w):
    s = w.setup(browser_access=False); d = w.docs(s); d["permission_policy"]["Statement"] = [x for x in d["permission_policy"]["Statement"] if "s3:GetBucketLocation" not in x["Action"]]
    n = w.fresh("role"); w.make_role(n, d); status(patch(w, s, {"role_arn": f"arn:aws:iam::{C}:role/{n}"}), 200); r = check(w, s, 5); x = next(y for y in r["steps"] if y["name"] == "get_bucket_location"); want(x["status"] == "warning" and x["problem"].get("patch"), x)
@trial("choices", "B", "storage's documents can be read again, also by name")
def storage_documents(w):
    st, _, _ = w.connect(); d = status(w.svc().admin("GET", f"/v1/storages/{st['id']}/documents"), 200); want(d["permission_policy"], d); status(w.svc().admin("GET", f"/v1/storages/{st['id']}/documents/cli"), 200)

# lists
def key_setup(w, statements=None, **f):
    k = w.user(C, w.fresh("u"), statements or [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]); return w.setup(auth="access_key", access_key_id=k[0], secret_access_key=k[1], **f)
@trial("lists", "L", "buckets with a key: [{name, region?}], also before a bucket is chosen")
def buckets(w):
    b = w.bucket(); s = key_setup(w, bucket=None, prefix=None); r = status(w.svc().admin("GET", f"/v1/storage-setups/{s['id']}/buckets"), 200); want(b in [x["name"] for x in r["buckets"]], r)
@trial("lists", "L", "buckets format=options: [{text, value}]; page_size")
def options(w):
    w.bucket(); w.bucket(); s = key_setup(w); p = f"/v1/storage-setups/{s['id']}/buckets"; r = status(w.svc().admin("GET", p, format="options"), 200); o = r["buckets"] if isinstance(r, dict) and "buckets" in r else r.get("options", r) if isinstance(r, dict) else r; want(all(set(x) >= {"text", "value"} for x in o) and o, r)
    r = status(w.svc().admin("GET", p, page_size=1), 200); want(len(r["buckets"]) == 1 and r.get("next_page_token"), r)
@trial("lists", "L", "folders: keys with a leading slash relative to the bucket, folder defaults to /")
def folders(w):
    b = w.bucket(files=("a.txt", "sub/x.txt")); s = key_setup(w, bucket=b); p = f"/v1/storage-setups/{s['id']}/folders"; r = status(w.svc().admin("GET", p, bucket=b), 200); want(r["folder"] == "/" and {"key": "/team/", "name": "team"} in r["folders"], r)
    r = status(w.svc().admin("GET", p, bucket=b, folder="/team/"), 200); want([x["key"] for x in r["folders"]] == ["/team/sub/"], r)
@trial("lists", "L", "a key that may not list buckets: words, no 5xx")
def may_not(w):
    s = key_setup(w, [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]); r = w.svc().admin("GET", f"/v1/storage-setups/{s['id']}/buckets"); want(400 <= r.status < 500 and r.status != 404 and r.json.get("detail"), r.text[:300])
@trial("lists", "L", "without credentials: 409 in words")
def no_credentials(w):
    s = w.setup(); r = w.svc().admin("GET", f"/v1/storage-setups/{s['id']}/buckets"); want(r.status == 409 and r.json.get("detail"), f"{r.status} {r.text[:300]}")
@trial("lists", "L", "with a role that may list buckets")
def by_role(w):
    s = w.setup(); d = w.docs(s); d["permission_policy"]["Statement"].append({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}); n = w.fresh("role"); w.make_role(n, d); status(patch(w, s, {"role_arn": f"arn:aws:iam::{C}:role/{n}"}), 200)
    r = status(w.svc().admin("GET", f"/v1/storage-setups/{s['id']}/buckets"), 200); want(s["bucket"] in [x["name"] for x in r["buckets"]], r)

# pasted
for i, (text, prefix, region) in enumerate((("s3://acme-data/team/", "team/", None), ("s3://acme-data", None, None), ("arn:aws:s3:::acme-data", None, None), ("arn:aws:s3:::acme-data/team/*", "team/", None),
    ("https://s3.console.aws.amazon.com/s3/buckets/acme-data?region=eu-west-1&prefix=team/", "team/", "eu-west-1"), ("https://eu-west-1.console.aws.amazon.com/s3/buckets/acme-data?region=eu-west-1&bucketType=general&prefix=team/&showversions=false", "team/", "eu-west-1"),
    ("https://acme-data.s3.eu-west-1.amazonaws.com/team/a.png", "team/", "eu-west-1"), ("https://s3.eu-west-1.amazonaws.com/acme-data/team/a.png", "team/", "eu-west-1"))):
    def f(w, text=text, prefix=prefix, region=region):
        s = status(w.svc().admin("POST", "/v1/storage-setups", {"bucket": text}), 201); want(s["bucket"] == "acme-data" and (s["prefix"] or None) == prefix and s["region"] == region, {k: s[k] for k in ("bucket", "prefix", "region")})
    f.__name__ = f"paste_{i}"; trial("pasted", "L", f"bucket {text} -> acme-data, {prefix}, {region}")(f)
@trial("pasted", "L", "an access point's ARN is refused in words")
def access_point(w):
    r = w.svc().admin("POST", "/v1/storage-setups", {"bucket": f"arn:aws:s3:us-east-1:{C}:accesspoint/x"}); status(r, 422); want("access point" in r.text.lower(), r.text[:300])
@trial("pasted", "L", "the form takes an S3 URI, too (no script)")
def paste_form(w):
    b = w.svc().browser(); so = b.soup("/settings/storages"); f = next(x for x in so.find_all("form") if "add" in (x.get("action") or "")); b.submit(f); so = b.soup(); f = next((x for x in so.find_all("form") if x.find(attrs={"name": "bucket"})), None); want(f is not None, b.last.url)
    b.submit(f, {"bucket": "s3://acme-data/team/"}); sid = re.search(r"set_[0-9a-f]+", b.last.url + b.last.text).group(0); s = status(w.svc().admin("GET", f"/v1/storage-setups/{sid}"), 200); want(s["bucket"] == "acme-data" and s["prefix"] == "team/", {"b": s["bucket"], "p": s["prefix"], "text": b.text()[:300]})

# links
def link(w, s): return status(w.svc().admin("POST", f"/v1/storage-setups/{s['id']}/administrator-links", {}), 201)
@trial("links", "L", "POST gives url and expires_at; GET lists without the url's secret; DELETE ends it: page says expired or revoked")
def links(w):
    s = w.setup(); l = link(w, s); want(l["url"].startswith(w.svc().url) and l["expires_at"], l); p = f"/v1/storage-setups/{s['id']}/administrator-links"; g = status(w.svc().admin("GET", p), 200)
    ls = next(v for v in g.values() if isinstance(v, list)); want(len(ls) == 1 and l["url"].rsplit("/", 1)[1] not in json.dumps(g), g); b = Browser(w.svc().url); want(b.get(l["url"]).status == 200, b.last.status)
    status(w.svc().admin("DELETE", f"{p}/{ls[0]['id']}"), 204); b = Browser(w.svc().url); r = b.get(l["url"]); t = b.text(); want(r.status in (404, 410) and "This setup link has expired or was revoked" in t, f"{r.status} {t[:300]}")
@trial("links", "L", "links for access-key setups, too")
def link_keys(w): b = Browser(w.svc().url); want(b.get(link(w, w.setup(auth="access_key"))["url"]).status == 200, b.last.text[:300])
@trial("links", "L", "a member may not make one: 403")
def link_member(w): s = w.setup(); want(w.svc().member("POST", f"/v1/storage-setups/{s['id']}/administrator-links", {}).status == 403, "not 403")
@trial("links", "L", "Idempotency-Key is honoured")
def link_idempotent(w):
    s = w.setup(); p = f"/v1/storage-setups/{s['id']}/administrator-links"; h = {"Idempotency-Key": uuid.uuid4().hex}; a, b = w.svc().admin("POST", p, {}, headers=h), w.svc().admin("POST", p, {}, headers=h); want(a.status == 201 and a.json["url"] == b.json["url"], [a.text, b.text])
@trial("links", "L", "unknown field 422; closed setup 409")
def link_odd(w):
    s = w.setup(); p = f"/v1/storage-setups/{s['id']}"; status(w.svc().admin("POST", p + "/administrator-links", {"x": 1}), 422); w.svc().admin("DELETE", p); status(w.svc().admin("POST", p + "/administrator-links", {}), 409)

def shift(svc, sid, seconds):
    """Moves every time in the setup's row back."""
    import datetime
    db = sqlite3.connect(glob.glob(svc.folder + "/data/*.db")[0], timeout=20); n = 0
    for (t,) in db.execute("select name from sqlite_master where type='table'").fetchall():
        cols = [c[1] for c in db.execute(f"pragma table_info({t})")]
        if t in ("storage_setups", "setups") and "id" in cols:
            for c in cols:
                if c.endswith("_at"):
                    v = db.execute(f"select {c} from {t} where id=?", (sid,)).fetchone()
                    if v and isinstance(v[0], int):
                        unit = 1 if v[0] < 1e11 else 1000 if v[0] < 1e14 else 10**6; db.execute(f"update {t} set {c}={c}-? where id=?", (seconds * unit, sid)); n += 1
                    elif v and isinstance(v[0], str):
                        try: x = datetime.datetime.fromisoformat(v[0].replace("Z", "+00:00"))
                        except ValueError: continue
                        if c != "expires_at": db.execute(f"update {t} set {c}=? where id=?", ((x - datetime.timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z"), sid)); n += 1
    db.commit(); return n
@trial("untouched", "A", "a setup without input is gone an hour after its dialog was last open; one with a bucket stays (times moved back 70 minutes, service restarted)")
def untouched(w):
    v = w.svc("untouched"); a = status(v.admin("POST", "/v1/storage-setups", {}), 201); b = status(v.admin("POST", "/v1/storage-setups", {"bucket": "acme-data"}), 201); v.stop()
    if not (shift(v, a["id"], 4200) and shift(v, b["id"], 4200)): raise Skip("times not found in the database")
    v.start(); end = time.time() + 75
    while time.time() < end and v.admin("GET", f"/v1/storage-setups/{a['id']}").status != 404 and (v.admin("GET", f"/v1/storage-setups/{a['id']}").json or {}).get("status") == "open": time.sleep(3)
    r = v.admin("GET", f"/v1/storage-setups/{a['id']}"); want(r.status == 404 or r.json.get("status") != "open", "still open"); want(v.admin("GET", f"/v1/storage-setups/{b['id']}").json["status"] == "open", "the one with a bucket is gone")
