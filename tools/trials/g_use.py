"""sign, put, small, cli, admin, brand, pages, wording"""
from lib import *
C = CUSTOMER
CACHE = {}
def store(w, **f):
    k = json.dumps(f, sort_keys=True)
    if k not in CACHE: CACHE[k] = w.connect(**f)[0]
    return CACHE[k]
def sign(w, **b): return w.svc().admin("POST", f"/v1/storages/{store(w)['id']}/files/sign", {"key": "/b/c.txt", **b})
@trial("sign", "L", "range bytes=0-3: the headers say Range; with it 206 and these bytes, without it refused")
def range_works(w):
    u = status(sign(w, range="bytes=0-3"), 200)["urls"][0]; h = {k.lower(): v for k, v in u["headers"].items()}; want(h.get("range") == "bytes=0-3", u["headers"]); r = requests.get(u["url"], headers=u["headers"]); want(r.status_code == 206 and r.content == b"body", f"{r.status_code} {r.content[:80]}"); want(requests.get(u["url"]).status_code in (400, 403), "works without the header")
@trial("sign", "L", "range with HEAD")
def range_head(w): status(sign(w, range="bytes=0-3", method="HEAD"), 200)
for x in ("bytes=0-", "bytes=-5", "bytes=0-1,3-4", "bytes=5-2", "0-3", "bytes=a-b", ""):
    def f(w, x=x): status(sign(w, range=x), 422)
    f.__name__ = "range_refused_" + re.sub(r"\W", "_", x); trial("sign", "L", f"range {x!r} is 422")(f)
for m in ("PUT", "DELETE"):
    def f(w, m=m): status(sign(w, range="bytes=0-3", method=m), 422)
    f.__name__ = "range_" + m; trial("sign", "L", f"range with {m} is 422")(f)
def acl_store(w):
    if "acl" not in CACHE: CACHE["acl"] = w.connect(bucket=w.bucket(acl=True))[0]
    return CACHE["acl"]
def put(w, st, acl, key="/acl.txt"): return w.svc().admin("PUT", f"/v1/storages/{st['id']}/files/content", data=b"x", headers={"x-amz-acl": acl, "Content-Type": "text/plain"}, key=key)
@trial("put", "L", "x-amz-acl private / bucket-owner-full-control is taken on a bucket with ACLs")
def put_acl(w):
    for a in ("private", "bucket-owner-full-control"): status(put(w, acl_store(w), a), 200, 201, 204)
@trial("put", "L", "an unknown ACL: 422")
def put_acl_bad(w): status(put(w, acl_store(w), "everybody"), 422)
@trial("put", "L", "object_acls false: 409 not_granted with x-amz-acl, upload without it works")
def put_acl_off(w):
    st = store(w, object_acls=False); r = put(w, st, "private"); want((r.status, (r.json or {}).get("code")) == (409, "not_granted"), r.text[:300]); status(w.svc().admin("PUT", f"/v1/storages/{st['id']}/files/content", data=b"x", key="/n.txt"), 200, 201, 204)
# small
A = lambda w: w.svc().admin
@trial("small", "L", "region '' is 'find it'")
def region_empty(w): s = status(A(w)("POST", "/v1/storage-setups", {"bucket": "acme-data", "region": ""}), 201); want(s["region"] is None, s["region"])
@trial("small", "L", "PUT content with multipart/form-data: 415 or unpacked")
def form_data(w):
    r = requests.put(w.svc().url + f"/v1/storages/{store(w)['id']}/files/content", params={"key": "/f.txt"}, files={"file": ("f.txt", b"hello")}, headers={"Authorization": f"Bearer {A(w).token}"}); want(r.status_code == 415 or (r.ok and A(w)("GET", f"/v1/storages/{store(w)['id']}/files/content", key="/f.txt").content == b"hello"), f"{r.status_code} {r.text[:200]}")
@trial("small", "L", "unknown query parameters are refused on /location")
def unknown_query(w): r = A(w)("GET", f"/v1/storages/{store(w)['id']}/location", bucket="other"); want(r.status in (400, 422), f"{r.status} {r.text[:200]}")
for m in ("PATCH", "DELETE"):
    def f(w, m=m): r = A(w)(m, "/v1/storages/built-in", {"display_name": "x"} if m == "PATCH" else None); want((r.status, (r.json or {}).get("code")) == (409, "built_in_storage"), r.text[:300])
    f.__name__ = "built_in_" + m; trial("small", "L", f"{m} built-in is 409 built_in_storage")(f)
@trial("small", "L", "built-in's documents: CORS and the service's own policy, 200")
def built_in_docs(w): d = status(A(w)("GET", "/v1/storages/built-in/documents"), 200); want(d["cors"] and d["permission_policy"] and not d["trust_policy"], list(d))
@trial("small", "L", "built-in's region is known where /location knows it")
def built_in_region(w): a, b = status(A(w)("GET", "/v1/storages/built-in"), 200), status(A(w)("GET", "/v1/storages/built-in/location"), 200); want(a["region"] == b["region"], [a["region"], b])
@trial("small", "L", "projects: PATCH name, ?storage_id=, ?name=")
def projects(w):
    st = store(w); p = status(A(w)("POST", "/v1/projects", {"name": "One", "storage_id": st["id"], "files": [{"file_key": "/b/c.txt"}]}), 201); want(status(A(w)("PATCH", f"/v1/projects/{p['id']}", {"name": "Two"}), 200)["name"] == "Two", "name"); want(p["id"] in [x["id"] for x in status(A(w)("GET", "/v1/projects", storage_id=st["id"]), 200)["projects"]], "storage_id"); want([x["id"] for x in status(A(w)("GET", "/v1/projects", name="Two"), 200)["projects"]] == [p["id"]], "name filter")
@trial("small", "L", "return_url only to allowed origins")
def return_url(w): r = A(w)("POST", "/v1/sign-in-links", {"role": "admin", "purpose": "settings", "return_url": "https://evil.example/x"}); want(r.status == 422, f"{r.status} {r.text[:200]}")
@trial("small", "L", "endpoint with auth role is refused in words")
def endpoint_role(w): r = A(w)("POST", "/v1/storage-setups", {"bucket": "acme-data", "auth": "role", "endpoint": "https://s3.example.com"}); want(r.status == 422, f"{r.status} {r.text[:200]}")
@trial("small", "L", "the same bucket and prefix twice: a warning or a refusal, not without a word")
def twice(w):
    st = store(w); d = w.setup(bucket=st["bucket"]); want(re.search(r"already|overlap|same bucket", json.dumps(d)), d)
@trial("small", "L", "several errors of a body are all reported")
def several(w): r = A(w)("POST", "/v1/storage-setups", {"bucket": "A B", "access": "write", "role_arn": "x"}); status(r, 422); want(len(r.json.get("errors", [])) > 1, r.json)
@trial("small", "L", "Idempotency-Key on sign-in links is honoured or refused")
def idem_links(w): h = {"Idempotency-Key": uuid.uuid4().hex}; a, b = (A(w)("POST", "/v1/sign-in-links", {"role": "member", "purpose": "projects"}, headers=h) for _ in (1, 2)); want(a.status >= 400 or a.json["url"] == b.json["url"], [a.text[:100], b.text[:100]])
@trial("small", "L", "deleting the default storage: says so or is refused")
def default_gone(w):
    st = w.connect()[0]; status(A(w)("PUT", "/v1/workspace/default-storage", {"storage_id": st["id"]}), 200); r = A(w)("DELETE", f"/v1/storages/{st['id']}"); status(A(w)("PUT", "/v1/workspace/default-storage", {"storage_id": None}), 200); want(r.status in (409, 422) or r.text, f"{r.status} without a word")
@trial("small", "L", "workspace with storages: DELETE is 204, with erase=true 200 and a report")
def erase(w): i, _, _ = w.svc().workspace("Gone"); status(w.svc().op("DELETE", f"/v1/workspaces/{i}", erase="true"), 200); i, _, _ = w.svc().workspace("Gone2"); status(w.svc().op("DELETE", f"/v1/workspaces/{i}"), 204)

# cli
def vend(w, *a): return w.cli(*a, key=w.vendor)
def role_for(w, **f):
    s = w.setup(browser_access=False, **f); d = w.docs(s); n = w.fresh("role"); w.make_role(n, d); return s, f"arn:aws:iam::{C}:role/{n}"
@trial("cli", "C", "check passes: exit 0, JSON report with the steps; table by default")
def cli_check(w):
    s, arn = role_for(w); a = ["check", "--bucket", s["bucket"], "--prefix", "team", "--role-arn", arn, "--external-id", s["external_id"]]; rc, o, e = vend(w, *a, "--output", "json"); want(rc == 0, f"{rc} {o[-300:]} {e[-300:]}"); r = json.loads(o); want([x["name"] for x in r["steps"]][0] == "assume_role" and len(r["steps"]) == 10, o[:300]); rc, o, e = vend(w, *a); want(rc == 0 and not o.lstrip().startswith("{"), o[:200])
@trial("cli", "C", "check of a wrong external ID: exit 1")
def cli_check_fails(w): s, arn = role_for(w); rc, o, e = vend(w, "check", "--bucket", s["bucket"], "--prefix", "team", "--role-arn", arn, "--external-id", str(uuid.uuid4())); want(rc == 1, f"{rc} {e[-300:]}")
@trial("cli", "C", "usage: exit 2 without values, unknown flag, unknown command")
def cli_usage(w): got = [w.cli(*a)[0] for a in (["check"], ["check", "--nope"], ["nope"], ["render"], ["files"], ["projects"])]; want(set(got) <= {2} or got[3] == 0 and set(got[:3] + got[4:]) == {2}, got)
@trial("cli", "C", "render equals what the server hands out, for every document")
def render(w):
    s = w.setup(role_arn=f"arn:aws:iam::{C}:role/x"); bad = []
    for d in ("permission_policy", "trust_policy", "cors", "lifecycle", "bucket_policy", "cli", "cloudformation", "terraform"):
        r = w.svc().admin("GET", f"/v1/storage-setups/{s['id']}/documents/{d}"); rc, o, e = w.cli("render", d, "--bucket", s["bucket"], "--prefix", "team", "--role-arn", s["role_arn"], "--external-id", s["external_id"], "--service-principal", s["service_principal"], "--setup-id", s["id"], "--auth", "role", "--allowed-origins", ",".join(s["allowed_origins"]), aws=False)
        if rc or o.rstrip("\n") != r.text.rstrip("\n"): bad.append((d, rc, e[-200:]))
    want(not bad, bad)
def srv(w): p = os.path.join(w.folder, "token"); open(p, "w").write(w.svc().admin.token + "\n"); return ["--server", w.svc().url, "--token-file", p]
@trial("cli", "C", "files ls, put, cat, cp, sign, rm")
def files(w):
    st = store(w)["id"]; p = os.path.join(w.folder, "up.txt"); open(p, "w").write("from the command line"); a = [*srv(w), "--storage", st]; f = lambda *x: w.cli("files", *x, *a, aws=False)
    rc, o, e = f("put", p, "/cli/up.txt"); want(rc == 0, e); rc, o, e = f("cat", "/cli/up.txt"); want(o == "from the command line", f"{rc} {o} {e}"); rc, o, e = f("ls", "/cli/"); want("up.txt" in o and rc == 0, o + e); rc, o, e = f("cp", "/cli/up.txt", "/cli/two.txt"); want(rc == 0, e)
    rc, o, e = f("sign", "/cli/up.txt"); u = re.search(r"http\S+", o); want(u and requests.get(u.group(0)).text == "from the command line", o + e); rc, o, e = f("rm", "/cli/up.txt", "/cli/two.txt"); want(rc == 0, e); rc, o, e = f("cat", "/cli/up.txt"); want(rc == 1 and "no_such" in o + e or rc == 1, f"{rc} {e}")
@trial("cli", "C", "by SALLYPORT_SERVER and SALLYPORT_TOKEN; a wrong token is exit 1 and not printed")
def files_env(w):
    e = {"SALLYPORT_SERVER": w.svc().url, "SALLYPORT_TOKEN": w.svc().admin.token}; rc, o, er = w.cli("files", "ls", "/", "--storage", store(w)["id"], env=e, aws=False); want(rc == 0, er); rc, o, er = w.cli("files", "ls", "/", env={**e, "SALLYPORT_TOKEN": "spt_wrongwrongwrong"}, aws=False); want(rc == 1 and "wrongwrong" not in o + er, f"{rc} {er}")
@trial("cli", "C", "projects create")
def cli_projects(w): rc, o, e = w.cli("projects", "create", "Cats", "--folder", "/", *srv(w), "--storage", store(w)["id"], aws=False); want(rc == 0 and "prj_" in o, f"{rc} {o} {e}")
@trial("cli", "C", "completions for bash, zsh, fish; man page; examples in each --help")
def completions(w):
    for s in ("bash", "zsh", "fish"): rc, o, e = w.cli("completions", s); want(rc == 0 and "sallyport" in o, f"{s} {e}")
    rc, o, e = w.cli("man"); want(rc == 0 and ".TH" in o, e); bad = [c for c in ("check", "render", "doctor", "provision", "files ls", "files put", "projects create") if "xample" not in w.cli(*c.split(), "--help")[1]]; want(not bad, bad)
def prov(w, s, *a, key=None):
    p = os.path.join(w.folder, w.fresh("d") + ".json"); json.dump(w.docs(s), open(p, "w")); return w.cli("provision", p, "--bucket", s["bucket"], *a, key=key)
@trial("cli", "C", "provision: no terminal, no --yes: exit 2, nothing changed")
def prov_no(w): s = w.setup(customer_account_id=C); a = w.roles(); rc, o, e = prov(w, s); want(rc == 2 and w.roles() == a and "--yes" in o + e, f"{rc} {e}")
@trial("cli", "C", "provision --dry-run changes nothing; --yes makes the expected role, others' rules stay; again; --remove --yes")
def prov_all(w):
    s = w.setup(bucket=w.bucket(others=True), customer_account_id=C); n, r0 = role_name(s["expected_role_arn"]), w.rules(s["bucket"]); rc, o, e = prov(w, s, "--dry-run"); want(rc == 0 and n not in w.roles() and w.rules(s["bucket"]) == r0, f"dry {rc} {e}"); rc, o, e = prov(w, s, "--yes"); r = w.rules(s["bucket"]); want(rc == 0 and n in w.roles() and r0["cors"][0] in r["cors"] and r0["lifecycle"][0] in r["lifecycle"], f"{rc} {e}")
    c = status(w.svc().admin("POST", f"/v1/storage-setups/{s['id']}/check", wait=20), 200); want(c["outcome"] != "failed", [x for x in c["steps"] if x["status"] == "failed"]); rc, o, e = prov(w, s, "--yes"); want(rc == 0 and w.rules(s["bucket"]) == r, e); rc, o, e = prov(w, s, "--remove", "--yes"); want(rc == 0 and n not in w.roles() and w.rules(s["bucket"]) == r0, f"remove {rc} {e}")
@trial("cli", "C", "provision refuses a stranger's role; --replace is a usage error (2)")
def prov_stranger(w):
    s = w.setup(); n = w.fresh("ProductionApp"); w.root("iam").create_role(RoleName=n, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})); rc, o, e = prov(w, s, "--role-name", n, "--yes"); want(rc == 1 and "ec2" in json.dumps(w.root("iam").get_role(RoleName=n)["Role"]["AssumeRolePolicyDocument"]), f"{rc} {e}"); rc, o, e = prov(w, s, "--role-name", n, "--yes", "--replace"); want(rc == 2, f"{rc}")
@trial("cli", "C", "provision --setup-link reads the documents by the link and hands the role back; then the check passes")
def prov_link(w):
    s = w.setup(); l = status(w.svc().admin("POST", f"/v1/storage-setups/{s['id']}/administrator-links", {}), 201)["url"]; rc, o, e = w.cli("provision", "--setup-link", l, "--yes"); want(rc == 0, f"{rc} {o[-300:]} {e[-400:]}"); c = status(w.svc().admin("POST", f"/v1/storage-setups/{s['id']}/check", wait=20), 200); want(c["outcome"] != "failed", [x for x in c["steps"] if x["status"] == "failed"])
@trial("cli", "C", "provision with an empty file, and without credentials: words, no dump")
def prov_words(w):
    rc, o, e = w.cli("provision", "-", "--bucket", "acme-data", "--yes", input=""); want(rc in (1, 2) and "`.`" not in e, e); s = w.setup(customer_account_id=C); p = os.path.join(w.folder, "d.json"); json.dump(w.docs(s), open(p, "w")); rc, o, e = w.cli("provision", p, "--bucket", s["bucket"], "--yes", aws=False, env={"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"}); want(rc == 1 and "DispatchFailure" not in e and len(e) < 900, e[:500])
@trial("cli", "C", "doctor: FILE:LINE:COLUMN, kind by content, exit 1 on an error, 0 on none; standard input")
def doctor(w):
    p = os.path.join(w.folder, "bad.json"); open(p, "w").write('{\n "Version": "2024-10-24",\n "Statement": [{"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::x"]}]\n}\n'); rc, o, e = w.cli("doctor", p, aws=False); want(rc == 1 and re.search(r"bad\.json:2:\d+", o), f"{rc} {o[:300]} {e}"); rc, o, e = w.cli("doctor", "-", input=open(p).read(), aws=False); want(rc == 1 and ":2:" in o, f"{rc} {o[:200]} {e}")

# administrator's page
def page(w, svc=None, **f):
    svc = svc or w.svc(); s = w.setup(svc, **f); l = status(svc.admin("POST", f"/v1/storage-setups/{s['id']}/administrator-links", {}), 201)["url"]; b = Browser(svc.url); r = b.get(l); want(r.status == 200, r.text[:200]); return s, b, plain(words(b.soup())), r.text
SAYS = {"workspace": "Acme Research", "vendor_account": VENDOR, "compare": r"compare", "grants": r"s3:PutObject|[Ww]rite", "deletes": r"DeleteObjectVersion|[Dd]elete old versions|delete.{0,30}versions", "acls": r"ACL", "lifecycle_paths": r"team/temp/.*team/export/", "seven_days": r"7 days|seven days", "cannot": r"[Nn]ever|cannot|can't|not able", "keeps": r"(we|Sallyport|it) (keep|store)s?|What (we|\w+) keeps?", "session_name": r"sallyport@", "cloudtrail": "CloudTrail", "session_life": r"(session|credential).{0,80}(hour|60 min)|(hour|60 min).{0,80}(session|credential)", "root_principal": r":root", "narrower": r"narrow|PrincipalArn|smaller", "iam_permissions": r"iam:CreateRole", "kms": r"KMS", "scp": r"SCP|service control polic", "boundary": r"[Pp]ermissions boundary", "role_path": r"[Rr]ole path|Path", "bucket_deny": r"bucket polic", "undo": r"--undo", "revoke": r"[Rr]evoke", "delete_role": r"[Dd]elete the (role|stack)", "remove_rules": r"rules"}
for k, x in SAYS.items():
    def f(w, x=x):
        if "adm" not in CACHE: CACHE["adm"] = page(w, customer_account_id=C)
        want(re.search(x, CACHE["adm"][2]), "not on the page: " + CACHE["adm"][2][:200])
    f.__name__ = "says_" + k; trial("admin", "D", f"the administrator's page says /{x}/")(f)
@trial("admin", "D", "who made the link and when; every granted action named")
def who(w):
    s, b, t, h = page(w); want(re.search(r"(26|Nov|2026|just now|ago)", t) and re.search(r"created|made", t), t[:400]); bad = [a for a in ("s3:GetObject", "s3:PutObjectAcl", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload", "s3:ListBucketVersions") if a not in t]; want(not bad, bad)
@trial("admin", "D", "no '… and nothing else' beside these grants")
def nothing_else(w): want("and nothing else" not in page(w)[2], "there")
@trial("admin", "D", "SSE-KMS: the key policy's statement is shown when a key is set")
def kms(w): t = page(w, kms_key_arn=f"arn:aws:kms:us-east-1:{C}:key/11111111-2222-3333-4444-555555555555", customer_account_id=C)[2]; want("kms:GenerateDataKey" in t and "kms:Decrypt" in t, "no statement")
def admin_form(b, name): return next((f for f in b.soup().find_all("form") if f.find(attrs={"name": name})), None)
@trial("admin", "D", "without a session: enters the account ID, checks by a button; a role that does not exist is said; then the role is made and the check passes, the setup knows")
def play(w):
    s, b, t, h = page(w, browser_access=False); url = b.last.url; f = admin_form(b, "customer_account_id"); want(f is not None, "no field customer_account_id"); b.submit(f, {"customer_account_id": C}); t = plain(b.text()); n = status(w.svc().admin("GET", f"/v1/storage-setups/{s['id']}"), 200); want(n["expected_role_arn"], "account not taken"); 
    b.get(url); so = b.soup(); bt = next(((x, y) for x in so.find_all("form") for y in x.find_all("button") if "heck" in y.get_text()), None); want(bt, "no Check button"); b.submit(bt[0], None, bt[1]); t = plain(b.text()); want(re.search(r"not there yet|Not there yet|can't assume|does not exist", t), t[:500]); w.make_role(role_name(n["expected_role_arn"]), w.docs(s)); time.sleep(4)
    b.get(url); so = b.soup(); bt = next(((x, y) for x in so.find_all("form") for y in x.find_all("button") if "heck" in y.get_text()), None); b.submit(bt[0], None, bt[1]); n = status(w.svc().admin("GET", f"/v1/storage-setups/{s['id']}"), 200); want(n["last_check"], "no check known to the product: " + plain(b.text())[:300])
@trial("admin", "D", "access keys: page without a role; the secret's place")
def keys_page(w): t = page(w, auth="access_key")[2]; want("create-role" not in t and re.search("access key", t, re.I), t[:300])
@trial("admin", "D", "no cookie needed; no-store; no other setup reachable; link secret not in a Referer")
def headers(w): b = page(w)[1]; h = b.last.headers; want("no-store" in h.get("Cache-Control", "") and h.get("Referrer-Policy") in ("no-referrer", "same-origin"), dict(h))

# brand
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><script>alert(1)</script><rect width="8" height="8"/></svg>'
def brand(w):
    p = os.path.join(w.folder, "mark.svg"); open(p, "w").write(SVG); return w.svc("brand", SALLYPORT_BRAND_NAME="Annotate", SALLYPORT_BRAND_LOGO=p, SALLYPORT_BRAND_COLOUR="#a01858", SALLYPORT_BRAND_SUPPORT_URL="https://help.annotate.example/")
@trial("brand", "D", "name and support address on dialog and administrator's page")
def brand_name(w):
    v = brand(w); t = v.browser().get("/settings/storages").text; want("Annotate" in t, "name"); s, b, t, h = page(w, v); want("Annotate" in t and "https://help.annotate.example/" in h, t[:300])
@trial("brand", "D", "logo served by ourselves, path contains logo, as an image, never inline")
def brand_logo(w):
    v = brand(w); b = v.browser(); b.get("/settings/storages"); i = [x["src"] for x in b.soup().find_all("img") if "logo" in x.get("src", "")]; want(i and "alert(1)" not in b.last.text, "no logo"); r = requests.get(v.url + i[0] if i[0].startswith("/") else i[0]); want(r.status_code == 200 and r.headers["Content-Type"].startswith("image/svg") and "nosniff" in r.headers.get("X-Content-Type-Options", ""), dict(r.headers))
@trial("brand", "D", "colour reaches a style sheet")
def brand_colour(w):
    v = brand(w); b = v.browser(); b.get("/settings/storages"); css = b.last.text + "".join(requests.get(v.url + l["href"]).text for l in b.soup().find_all("link", rel="stylesheet")); want("a01858" in css.lower(), "not found")
for n, e in (("COLOUR", {"SALLYPORT_BRAND_COLOUR": "red"}), ("LOGO", {"SALLYPORT_BRAND_LOGO": "/nonexistent.png"}), ("SUPPORT_URL", {"SALLYPORT_BRAND_SUPPORT_URL": "javascript:alert(1)"})):
    def f(w, n=n, e=e):
        try: w.svc("bad" + n, **e)
        except services.StartFailed as x: want("BRAND" in str(x).upper(), str(x)[-300:]); return
        raise Fail("it starts")
    f.__name__ = "brand_bad_" + n; trial("brand", "D", f"a wrong SALLYPORT_BRAND_{n} stops the start with its name")(f)

# pages
@trial("pages", "D", "whole way without script: Add storage -> bucket -> way -> account ID -> check -> Add storage")
def dialog(w):
    b = w.svc().browser(); so = b.soup("/settings/storages"); f = next((x for x in so.find_all("form") if "add" in (x.get("action") or "")), None)
    if f: b.submit(f)
    else: b.get("/settings/storages/add")
    f = admin_form(b, "bucket"); want(f is not None, "no bucket form at " + b.last.url); bk = w.bucket(); b.submit(f, {"bucket": bk, "prefix": "team/"}); t = plain(b.text()); sid = re.search(r"set_[0-9a-f]+", b.last.url + b.last.text).group(0); want("How do you want to set up AWS" in t, t[:500]); bad = [x for x in ("CloudFormation", "AWS CLI", "Terraform", "onsole", "setup link") if x not in t]; want(not bad, bad)
    b.get(f"/settings/setups/{sid}", step="check"); f = admin_form(b, "customer_account_id"); want(f is not None, "no account field at step=check"); b.submit(f, {"customer_account_id": C}); s = status(w.svc().admin("GET", f"/v1/storage-setups/{sid}"), 200); want(s["expected_role_arn"], "not taken"); d = w.docs(s); w.make_role(role_name(s["expected_role_arn"]), d); w.set_cors(bk, d)
    b.get(f"/settings/setups/{sid}", step="check"); f = b.soup().find("form", attrs={"data-check": True}); want(f is not None, "no form[data-check]"); b.submit(f); t = plain(b.text()); b.get(f"/settings/setups/{sid}", step="check"); f = next((x for x in b.soup().find_all("form") if (x.get("action") or "").endswith("/complete")), None); want(f is not None, "no Add storage: " + t[:400]); b.submit(f); want(w.svc().admin("GET", f"/v1/storage-setups/{sid}").json["status"] == "completed", b.text()[:300])
for p in ("/settings/storages", "/projects/new"):
    def f(w, p=p): r = w.svc().browser().get(p); want(r.status == 200, r.status)
    f.__name__ = "path" + p.replace("/", "_"); trial("pages", "G", f"{p} answers")(f)
@trial("pages", "D", "steps bucket, role, check of a setup answer; fields keep their names")
def steps(w):
    b, s = w.svc().browser(), w.setup(); names = set()
    for x in ("bucket", "role", "check"): want(b.get(f"/settings/setups/{s['id']}", step=x).status == 200, x); names |= {e.get("name") for e in b.soup().find_all(["input", "select", "textarea"])}
    want({"csrf", "bucket", "prefix", "region", "role_arn", "customer_account_id"} <= names, sorted(filter(None, names)))
@trial("pages", "E", "files: paths, search field, upload without script")
def file_pages(w):
    st, b = store(w), w.svc().browser(); want(b.get(f"/storages/{st['id']}/files").status == 200, b.last.status); so = b.soup(); want(so.find("input", attrs={"type": "search"}) or so.find("input", attrs={"name": re.compile("search|prefix|q")}), "no search"); f = next((x for x in so.find_all("form") if "upload" in (x.get("action") or "")), None); want(f is not None, "no upload form")
@trial("pages", "G", "a storage's page: Open files, Create a project, health, key facts; built-in shows no prefix of the inside")
def storage_page(w):
    st, b = store(w), w.svc().browser(); b.get("/settings/storages"); l = next((a["href"] for a in b.soup().find_all("a", href=True) if st["id"] in a["href"] and "files" not in a["href"]), None); want(l, "no link"); t = plain(b.text(l)); want("Open files" in t and "Create a project" in t, t[:500]); want("wrk_" not in plain(b.text("/settings/storages")), "internal prefix")
@trial("pages", "G", "admins have pages for tokens, sessions and the audit log; members not")
def people(w):
    b = w.svc().browser(); b.get("/settings/storages"); h = " ".join(a["href"] for a in b.soup().find_all("a", href=True)); got = h
    for x in ("token", "session", "audit"):
        if x not in got:
            for a in b.soup("/settings/storages").find_all("a", href=True):
                if a["href"].startswith("/settings/"): b.get(a["href"]); got += " " + b.last.url + " ".join(z["href"] for z in b.soup().find_all("a", href=True))
    bad = [x for x in ("token", "session", "audit") if x not in got]; want(not bad, bad)
@trial("pages", "G", "an error page belongs to the product: request ID, a way back")
def error_page(w): b = w.svc().browser(); r = b.get("/settings/setups/set_00000000000000000000000000000000"); t = b.text(); want(r.status == 404 and r.headers.get("X-Request-Id", "zz") in r.text and b.soup().find("a", href=True), t[:200])

OLD = ["Which bucket, and how much of it", "not an ARN, not an access point", "The only folder of the bucket that is used", "this says what Sallyport will be able to do in it", "A bucket that has other rules keeps them: add these to them", "Be refused without an external ID", "Ask for CORS as a browser would", "Wait up to a minute: AWS may need it", "The check has ended", "Sign in by access key instead", "Somebody else administers AWS", "Make a link", "Tick files to do something", "Checks so far", "Rename or change", "It ends sooner than asked", "A bucket not named yet", "external object storage", "Add external object storage"]
def everything(w):
    if "all" not in CACHE:
        b, st, out = w.svc().browser(), store(w), {}; s = w.setup(); e = status(w.svc().admin("POST", "/v1/storage-setups", {}), 201); st2, bad, r = None, w.setup(role_arn=f"arn:aws:iam::{C}:role/none"), None; w.svc().admin("POST", f"/v1/storage-setups/{bad['id']}/check")
        for p in ["/settings/storages", f"/storages/{st['id']}/files", "/projects", "/projects/new", f"/settings/storages/{st['id']}"] + [f"/settings/setups/{x['id']}?step={y}" for x in (s, e, bad) for y in ("bucket", "cors", "policy", "role", "check")]: out[p] = plain(b.text(p))
        out["admin"] = page(w)[2]; CACHE["all"] = out
    return CACHE["all"]
for i, o in enumerate(OLD):
    def f(w, o=o): got = [p for p, t in everything(w).items() if plain(o) in t]; want(not got, got)
    f.__name__ = f"old_{i}"; trial("wording", "D", f"'{o}' is gone")(f)
for i, (n, own) in enumerate((("Choose a bucket", "D"), ("Limit access to this folder. Leave empty to allow the whole bucket.", "D"), ("Enter a bucket to preview the access you are granting", "D"), ("Rejects requests without an external ID", "D"), ("Use an access key instead", "D"), ("Someone else manages AWS?", "D"), ("Create a setup link", "D"), ("Untitled setup", "G"), ("Select files to delete them or create a project", "E"))):
    def f(w, n=n): want(any(n in t for t in everything(w).values()), "on no page")
    f.__name__ = f"new_{i}"; trial("wording", own, f"'{n}' is somewhere")(f)
@trial("wording", "D", "no straight apostrophe between letters in pages")
def curly(w):
    b = w.svc().browser(); bad = []
    for p in list(everything(w))[:10]:
        if p != "admin": bad += re.findall(r"\w{1,12}'\w{1,3}\b", b.text(p))
    want(not bad, sorted(set(bad))[:8])
