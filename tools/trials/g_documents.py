"""docs, forms, cfn, quick, scripts, keys"""
from lib import *
import extract as X
from urllib.parse import urlparse, parse_qs, unquote
C = CUSTOMER
NINE = {"bucket": ["s3:GetBucketLocation"], "list": ["s3:ListBucket"], "objects": ["s3:GetObject"]}
def model(bucket, prefix, access, acls, versions, kms, part="aws"):
    b, o = f"arn:{part}:s3:::{bucket}", f"arn:{part}:s3:::{bucket}/{prefix}*"; cond = json.dumps({"StringLike": {"s3:prefix": [prefix + "*"]}}) if prefix else "{}"
    out = {("Allow", "s3:GetBucketLocation", b, "{}"), ("Allow", "s3:ListBucket", b, cond), ("Allow", "s3:GetObject", o, "{}")}
    if versions: out.add(("Allow", "s3:ListBucketVersions", b, cond))
    if access == "read":
        if versions: out.add(("Allow", "s3:GetObjectVersion", o, "{}"))
        if acls: out.add(("Allow", "s3:GetObjectAcl", o, "{}"))
    else:
        for a in ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"] + (["s3:GetObjectAcl", "s3:PutObjectAcl"] if acls else []) + (["s3:DeleteObjectVersion"] if versions else []): out.add(("Allow", a, o, "{}"))
    if kms: out |= {("Allow", a, kms, "{}") for a in (["kms:Decrypt"] + (["kms:GenerateDataKey"] if access == "read_write" else []))}
    return out
KEY = f"arn:aws:kms:us-east-1:{C}:key/11111111-2222-3333-4444-555555555555"
COMBOS = [("read_write", "", None, None, True, True, None, "role"), ("read_write", "team/", None, None, True, True, None, "role"), ("read", "team/", None, None, True, True, None, "role"), ("read", "", None, None, True, False, KEY, "role"),
    ("read_write", "team/", False, True, True, True, None, "role"), ("read_write", "team/", True, False, False, True, None, "role"), ("read_write", "", False, False, False, False, None, "role"), ("read", "team/", True, True, True, True, None, "role"),
    ("read_write", "team/", None, None, True, True, KEY, "role"), ("read", "team/", False, True, True, True, None, "role"), ("read_write", "a b/ü'$x/", None, None, True, True, None, "role"), ("read_write", "s${*}/", None, None, True, True, None, "role"),
    ("read_write", "team/", None, None, True, True, None, "access_key"), ("read", "", None, None, True, True, None, "access_key"), ("read_write", "team/", False, False, False, False, KEY, "access_key")]
def body(c):
    access, prefix, acls, vers, life, cors, kms, auth = c; b = {"bucket": "acme-data", "prefix": prefix, "access": access, "auth": auth, "lifecycle": life, "browser_access": cors, "customer_account_id": C}
    if acls is not None: b["object_acls"] = acls
    if vers is not None: b["object_versions"] = vers
    if kms: b["kms_key_arn"] = kms
    return b
def diff(a, b): return {"missing": sorted(map(str, b - a))[:4], "more": sorted(map(str, a - b))[:4]}
def compare(d, c, part="aws"):
    access, prefix, acls, vers, life, cors, kms, auth = c; rw = access == "read_write"; acls = rw if acls is None else acls; vers = rw if vers is None else vers; life = life and rw
    esc = prefix.replace("$", "${$}").replace("*", "${*}").replace("?", "${?}") if any(x in prefix for x in "$*?") else prefix
    if "${*}" in prefix: esc = None
    j = X.grants(d["permission_policy"])
    if esc is not None: m = model("acme-data", esc, access, acls, vers, kms, part); want(j == m, {"json": diff(j, m)})
    f = {"cli": X.sh(d["cli"]), "cloudformation": X.cfn(d["cloudformation"]), "terraform": X.tf(d["terraform"])}
    for k, v in f.items():
        want(v["permission"] is not None, k + ": no permission policy"); g = X.grants(v["permission"]); want(g == j, {k: diff(g, j)})
        if auth == "role": want(v["trust"] and X.trust(v["trust"]) == X.trust(d["trust_policy"]), k + ": trust policy differs")
        else: want(v["trust"] is None, k + ": has a trust policy")
    want(bool(d["cors"]) == cors, "cors in json"); want(bool(d["lifecycle"]) == life, "lifecycle in json")
    for k in ("cli", "terraform"):
        want(bool(f[k].get("cors")) == cors, f"{k}: cors {f[k].get('cors')}"); want(bool(f[k].get("lifecycle")) == life, f"{k}: lifecycle {f[k].get('lifecycle')}")
    if life:
        names = {prefix + "temp/", prefix + "export/"}; want({r["Filter"]["Prefix"] for r in X.as_rules(d["lifecycle"])} == names, d["lifecycle"]); want({r["Filter"]["Prefix"] for r in f["cli"]["lifecycle"]} == names, "cli"); 
    if cors: want({x for r in X.as_rules(d["cors"]) for x in r["AllowedOrigins"]} == {x for r in f["cli"]["cors"] for x in r["AllowedOrigins"]}, "origins")
for i, c in enumerate(COMBOS):
    def f(w, c=c): compare(w.docs(status(w.svc().admin("POST", "/v1/storage-setups", body(c)), 201)), c)
    f.__name__ = f"combo_{i}"; trial("docs", "B", f"all forms grant the same, and what the text says: {c}")(f)
for part in ("aws-cn", "aws-us-gov"):
    def f(w, part=part):
        v = w.svc("p" + part, SALLYPORT_SERVICE_PRINCIPAL=f"arn:{part}:iam::{VENDOR}:root"); c = ("read_write", "team/", None, None, True, True, None, "role")
        s = status(v.admin("POST", "/v1/storage-setups", {**body(c), "customer_account_id": None, "role_arn": f"arn:{part}:iam::{C}:role/x"}), 201); compare(w.docs(s, v), c, part)
    f.__name__ = "partition_" + part; trial("docs", "B", f"partition {part} in every ARN of every form")(f)
def all_docs(w):
    for c in COMBOS: yield c, w.docs(status(w.svc().admin("POST", "/v1/storage-setups", body(c)), 201))
def tool(w, doc, name, command):
    bad = []
    for c, d in all_docs(w):
        t = d.get(doc)
        if not t: bad.append((c, "none")); continue
        dd = tempfile.mkdtemp(dir=w.folder); p = os.path.join(dd, name); open(p, "w").write(t); r = subprocess.run([*command, p], capture_output=True, text=True, cwd=dd)
        if r.returncode: bad.append((c, (r.stdout + r.stderr)[:300]))
    want(not bad, f"{len(bad)} of {len(COMBOS)}: {bad[0]}" if bad else "")
@trial("forms", "B", "terraform fmt -check clean on all combinations")
def fmt(w): tool(w, "terraform", "main.tf", ["/usr/local/bin/terraform", "fmt", "-check", "-diff"])
@trial("forms", "B", "cfn-lint clean on all combinations")
def lint(w): tool(w, "cloudformation", "t.yaml", ["/root/.pyenv/shims/cfn-lint"])
@trial("forms", "B", "shellcheck clean on all combinations")
def shellc(w): tool(w, "cli", "s.sh", [".build/lint/bin/shellcheck"])
@trial("forms", "B", "no --replace and no jq command in any script; nothing says paste-and-replace")
def no_replace(w):
    for c, d in all_docs(w):
        for k, t in d.items():
            if isinstance(t, str): want("--replace" not in t, f"{k}: --replace"); want(not re.search(r"(^|[|;&(\s])jq\s+-", t, re.M), f"{k}: jq")
@trial("forms", "B", "CloudFormation says that CORS and lifecycle rules are left to do, and names the folders emptied if a form applies lifecycle")
def says(w):
    d = w.docs(w.setup(customer_account_id=C)); want("CORS" in d["cloudformation"], "no word of CORS")
    for k in ("cli", "terraform"): want(all(x in d[k].split("set -eu")[0] + d[k][:3000] for x in ("team/temp/", "team/export/")), f"{k}: full paths not named in its head")
@trial("forms", "B", "lifecycle false: no form contains a rule or the folders")
def no_life(w):
    for k, t in w.docs(w.setup(lifecycle=False, customer_account_id=C)).items(): want("team/export/" not in json.dumps(t), f"{k} names team/export/")
@trial("forms", "B", "raw documents: content type, file name, same text; bucket_policy before a role: not 'no such document'")
def raw(w):
    s = w.setup(customer_account_id=C); d = w.docs(s)
    for k in ("cli", "cloudformation", "terraform"):
        r = w.svc().admin("GET", f"/v1/storage-setups/{s['id']}/documents/{k}"); want(r.status == 200 and r.text == d[k] and "filename" in r.headers.get("Content-Disposition", ""), f"{k} {r.status} {dict(r.headers)}")
    r = w.svc().admin("GET", f"/v1/storage-setups/{s['id']}/documents/bucket_policy"); want(r.status in (404, 409) and "role" in r.text.lower(), r.text[:300])
@trial("forms", "B", "boundary and role path in CLI, CloudFormation and Terraform")
def boundary_docs(w):
    a = f"arn:aws:iam::{C}:policy/edge"; d = w.docs(w.setup(customer_account_id=C, role_path="/vendors/", permissions_boundary_arn=a)); want(all(a in d[k] and "/vendors/" in d[k] for k in ("cli", "cloudformation", "terraform")), {k: (a in d[k], "/vendors/" in d[k]) for k in ("cli", "cloudformation", "terraform")})

def stack(w, text, params=None, key=None):
    cf = w.client("cloudformation", key or w.customer); n = w.fresh("stack"); cf.create_stack(StackName=n, TemplateBody=text, Capabilities=["CAPABILITY_NAMED_IAM"], Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in (params or {}).items()])
    for _ in range(60):
        s = cf.describe_stacks(StackName=n)["Stacks"][0]
        if not s["StackStatus"].endswith("IN_PROGRESS"): break
        time.sleep(0.5)
    want(s["StackStatus"] == "CREATE_COMPLETE", f"{s['StackStatus']} {s.get('StackStatusReason')}"); return s, {o["OutputKey"]: o["OutputValue"] for o in s.get("Outputs", [])}
@trial("cfn", "B", "create_stack makes the expected role; the check passes; complete")
def cfn_role(w):
    s = w.setup(customer_account_id=C, browser_access=False); _, o = stack(w, w.docs(s)["cloudformation"]); want(s["expected_role_arn"] in o.values(), o)
    r = status(w.svc().admin("POST", f"/v1/storage-setups/{s['id']}/check", wait=20), 200); want(r["outcome"] != "failed", r["steps"]); status(w.svc().admin("POST", f"/v1/storage-setups/{s['id']}/complete"), 201)
@trial("cfn", "B", "access key: create_stack makes user and policy, no key anywhere, says how the key is made")
def cfn_user(w):
    s = w.setup(auth="access_key"); t = w.docs(s)["cloudformation"]; e = X.cfn(t); want("AWS::IAM::AccessKey" not in t and "AWS::IAM::Role" not in e["types"] and any("User" in x for x in e["types"]), e["types"]); before = set(w.users()); stack(w, t); new = set(w.users()) - before
    want(len(new) == 1 and not w.root("iam").list_access_keys(UserName=new.pop())["AccessKeyMetadata"], "users"); want("create-access-key" in t or "access key" in t.lower(), "does not say how the key is made")
def q(w): return w.svc("quick", SALLYPORT_TEMPLATE_BUCKET=TEMPLATES, SALLYPORT_BRAND_NAME="Annotate")
@trial("quick", "B", "without the setting: no URL; with it: a console quick-create link with templateURL and param_")
def quick_url(w):
    want(not w.docs(w.setup(customer_account_id=C)).get("cloudformation_quick_create_url"), "there without the setting"); v = q(w); u = w.docs(w.setup(v, customer_account_id=C), v)["cloudformation_quick_create_url"]; p = urlparse(u); k = parse_qs(p.fragment.split("?", 1)[1] if "?" in p.fragment else p.query); want("console.aws.amazon.com" in p.netloc and "templateURL" in k and any(x.startswith("param_") for x in k), u)
def quick_parts(u): p = urlparse(u); return {a: b[0] for a, b in parse_qs(p.fragment.split("?", 1)[1] if "?" in p.fragment else p.query, keep_blank_values=True).items()}
@trial("quick", "B", "one generic, content-addressed template without name, external ID, account or bucket; the same for two setups")
def quick_generic(w):
    v = q(w); a, b = w.setup(v, customer_account_id=C), w.setup(v, customer_account_id=C); ua, ub = (quick_parts(w.docs(s, v)["cloudformation_quick_create_url"]) for s in (a, b)); want(ua["templateURL"] == ub["templateURL"], [ua["templateURL"], ub["templateURL"]])
    t = quick_template(w, ua["templateURL"]); bad = [x for x in (a["external_id"], C, VENDOR, a["bucket"], "Annotate", "Acme") if x in t]; want(not bad, bad)
def quick_template(w, u):
    key = unquote(urlparse(u).path).lstrip("/"); key = key[len(TEMPLATES) + 1:] if key.startswith(TEMPLATES + "/") else key; return w.root("s3", VENDOR).get_object(Bucket=TEMPLATES, Key=key)["Body"].read().decode()
for access, kw in (("read_write", {}), ("read", {"object_versions": True}), ("read_write", {"object_acls": False, "prefix": ""})):
    def f(w, access=access, kw=kw):
        v = q(w); s = w.setup(v, customer_account_id=C, access=access, browser_access=False, **kw); d = w.docs(s, v); u = quick_parts(d["cloudformation_quick_create_url"]); stack(w, quick_template(w, u["templateURL"]), {k[6:]: x for k, x in u.items() if k.startswith("param_")})
        n = role_name(s["expected_role_arn"]); iam = w.root("iam"); pol = [iam.get_role_policy(RoleName=n, PolicyName=p)["PolicyDocument"] for p in iam.list_role_policies(RoleName=n)["PolicyNames"]]; g = set().union(*[X.grants(p) for p in pol]); j = X.grants(d["permission_policy"]); want(g == j, diff(g, j))
        r = status(v.admin("POST", f"/v1/storage-setups/{s['id']}/check", wait=20), 200); want(r["outcome"] != "failed", [x for x in r["steps"] if x["status"] == "failed"])
    f.__name__ = f"quick_{access}_{len(kw)}"; trial("quick", "B", f"stack from the link ({access} {kw}) grants what the JSON says; check passes")(f)
@trial("quick", "B", "a template bucket that cannot be written: no URL, the start goes on, the reason in the log")
def quick_broken(w):
    v = w.svc("quickbroken", SALLYPORT_TEMPLATE_BUCKET="nobody-has-this-bucket"); d = w.docs(w.setup(v, customer_account_id=C), v); want(not d.get("cloudformation_quick_create_url"), "URL"); want("template" in v.log_text().lower(), "nothing in the log")

# scripts
def made(w, s): return role_name(s["expected_role_arn"]) in w.roles()
def before_after(w, s): return (w.rules(s["bucket"]), made(w, s))
@trial("scripts", "B", "--dry-run: exit 0, nothing changed, account and actions printed")
def dry(w):
    s = w.setup(bucket=w.bucket(others=True), customer_account_id=C); a = before_after(w, s); rc, o, e = w.sh(w.docs(s)["cli"], "--dry-run"); want(rc == 0 and before_after(w, s) == a, f"rc {rc} {o[-300:]} {e[-300:]}"); want(C in o + e and "PutObject" in o + e, (o + e)[:600])
@trial("scripts", "B", "no terminal, no --yes: exit 2 and nothing changed, says so")
def no_tty(w):
    s = w.setup(bucket=w.bucket(others=True), customer_account_id=C); a = before_after(w, s); rc, o, e = w.sh(w.docs(s)["cli"]); want(rc == 2 and before_after(w, s) == a, f"rc {rc} changed {before_after(w, s) != a} {e[-400:]}"); want("--yes" in o + e, o + e)
@trial("scripts", "B", "--yes: role, ARN on stdout, rules of others unchanged and ours first; check passes; again: nothing changes; --undo: as before")
def life(w):
    s = w.setup(bucket=w.bucket(others=True), customer_account_id=C); t = w.docs(s)["cli"]; a = w.rules(s["bucket"]); rc, o, e = w.sh(t, "--yes"); want(rc == 0, f"rc {rc} {e[-600:]}"); want(s["expected_role_arn"] in o, o); r = w.rules(s["bucket"])
    want(a["cors"][0] in r["cors"] and r["cors"][0].get("ID") != "theirs" and len(r["cors"]) == 2, r["cors"]); want(a["lifecycle"][0] in r["lifecycle"] and len(r["lifecycle"]) == 3, r["lifecycle"])
    c = status(w.svc().admin("POST", f"/v1/storage-setups/{s['id']}/check", wait=20), 200); want(c["outcome"] != "failed", [x for x in c["steps"] if x["status"] == "failed"])
    rc, o, e = w.sh(t, "--yes"); want(rc == 0 and w.rules(s["bucket"]) == r, f"second: {rc} {e[-300:]}"); rc, o, e = w.sh(t, "--undo", "--yes"); want(rc == 0 and not made(w, s) and w.rules(s["bucket"]) == a, f"undo {rc} {e[-400:]} {w.rules(s['bucket'])}")
@trial("scripts", "B", "--undo without --yes and terminal: exit 2, nothing changed; --undo --dry-run changes nothing")
def undo_asks(w):
    s = w.setup(customer_account_id=C); t = w.docs(s)["cli"]; rc, _, e = w.sh(t, "--yes"); want(rc == 0, e); rc, _, e = w.sh(t, "--undo"); want(rc == 2 and made(w, s), f"{rc} {e}"); rc, _, e = w.sh(t, "--undo", "--dry-run"); want(rc == 0 and made(w, s), f"{rc} {e}")
@trial("scripts", "B", "--undo leaves a role that has a policy of others, and says so")
def undo_foreign(w):
    s = w.setup(customer_account_id=C); t = w.docs(s)["cli"]; w.sh(t, "--yes"); n = role_name(s["expected_role_arn"]); w.root("iam").put_role_policy(RoleName=n, PolicyName="theirs", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}))
    rc, o, e = w.sh(t, "--undo", "--yes"); want(made(w, s) and "theirs" in w.root("iam").list_role_policies(RoleName=n)["PolicyNames"], "the role is gone"); want("theirs" in o + e or "polic" in (o + e).lower(), o + e)
@trial("scripts", "B", "signed in to another account (no account known): bucket's owner is looked at first, no role is left")
def wrong_account(w):
    s = w.setup(); n = w.roles(OTHER); rc, o, e = w.sh(w.docs(s)["cli"], "--yes", key=w.other); want(rc != 0 and w.roles(OTHER) == n, f"rc {rc} roles {w.roles(OTHER)} {e[-300:]}")
@trial("scripts", "B", "signed in to another account than the setup's: refused, account named")
def wrong_account2(w):
    s = w.setup(customer_account_id=C); rc, o, e = w.sh(w.docs(s)["cli"], "--yes", key=w.other); want(rc not in (0, None) and OTHER in o + e and C in o + e and not w.roles(OTHER), f"{rc} {e}")
@trial("scripts", "B", "a stranger's role of that name stays as it is, and nothing else changes")
def stranger(w):
    s = w.setup(bucket=w.bucket(others=True), customer_account_id=C); n = role_name(s["expected_role_arn"]); tp = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}; w.root("iam").create_role(RoleName=n, AssumeRolePolicyDocument=json.dumps(tp)); a = w.rules(s["bucket"])
    rc, o, e = w.sh(w.docs(s)["cli"], "--yes"); want(rc != 0 and w.root("iam").get_role(RoleName=n)["Role"]["AssumeRolePolicyDocument"] == tp and w.rules(s["bucket"]) == a, f"rc {rc} {e}"); rc, o, e = w.sh(w.docs(s)["cli"], "--undo", "--yes"); want(n in w.roles(), "undo deleted it")
for a in ("--replace", "--nonsense"):
    def f(w, a=a):
        s = w.setup(customer_account_id=C); rc, o, e = w.sh(w.docs(s)["cli"], a, "--yes"); want(rc == 2 and not made(w, s), f"{rc} {e}")
    f.__name__ = "argument_" + a.strip("-"); trial("scripts", "B", f"{a}: exit 2, nothing changed")(f)
@trial("scripts", "B", "TransitionDefaultMinimumObjectSize is carried along")
def smallest(w):
    b = w.bucket(others=True); w.root("s3").put_bucket_lifecycle_configuration(Bucket=b, TransitionDefaultMinimumObjectSize="varies_by_storage_class", LifecycleConfiguration={"Rules": [OWN_LIFE]})
    if w.rules(b).get("smallest") != "varies_by_storage_class": raise Skip("the emulator does not keep it")
    s = w.setup(bucket=b, customer_account_id=C); rc, _, e = w.sh(w.docs(s)["cli"], "--yes"); want(rc == 0 and w.rules(b)["smallest"] == "varies_by_storage_class", w.rules(b))
@trial("scripts", "B", "role is tagged with the setup's ID")
def tags(w):
    s = w.setup(customer_account_id=C); w.sh(w.docs(s)["cli"], "--yes"); t = w.root("iam").list_role_tags(RoleName=role_name(s["expected_role_arn"]))["Tags"]; want(any(s["id"] in x["Value"] for x in t), t)
@trial("scripts", "B", "a terminal: prints account and actions, asks; 'n' changes nothing")
def asks_no(w):
    s = w.setup(customer_account_id=C); p = os.path.join(w.folder, w.fresh("s") + ".sh"); open(p, "w").write(w.docs(s)["cli"]); rc, o = w.pty(["/bin/sh", p], "n\n"); want(not made(w, s) and rc != 0 and C in o, f"rc {rc} {o[-500:]}")
@trial("scripts", "B", "a terminal: 'y' does it")
def asks_yes(w):
    s = w.setup(customer_account_id=C); p = os.path.join(w.folder, w.fresh("s") + ".sh"); open(p, "w").write(w.docs(s)["cli"]); rc, o = w.pty(["/bin/sh", p], "yes\n" if "yes" in w.docs(s)["cli"].split("read ")[0][-300:] else "y\n", wait=60); want(made(w, s) and rc == 0, f"rc {rc} {o[-500:]}")
@trial("scripts", "B", "hostile but legal prefix and bucket with dots, bucket in eu-west-1: script twice, check, undo")
def hostile(w):
    b = w.bucket(name=w.fresh("acme.data").lower(), region="eu-west-1", prefix="it's $HOME `x` \"q\" ü;*/"); s = w.setup(bucket=b, prefix="it's $HOME `x` \"q\" ü;*/", customer_account_id=C); t = w.docs(s)["cli"]
    for _ in 1, 2: rc, o, e = w.sh(t, "--yes"); want(rc == 0, f"{rc} {e[-500:]}")
    c = status(w.svc().admin("POST", f"/v1/storage-setups/{s['id']}/check", wait=20), 200); bad = [x for x in c["steps"] if x["status"] == "failed"]; rc, o, e = w.sh(t, "--undo", "--yes"); want(rc == 0 and not made(w, s), f"undo {rc} {e[-300:]}"); want(not bad, bad)
@trial("scripts", "B", "read access, no CORS: bucket's rules are not touched")
def read_only(w):
    s = w.setup(bucket=w.bucket(others=True), access="read", browser_access=False, customer_account_id=C); a = w.rules(s["bucket"]); rc, _, e = w.sh(w.docs(s)["cli"], "--yes"); want(rc == 0 and made(w, s) and w.rules(s["bucket"]) == a, f"{rc} {e}")
@trial("scripts", "B", "a bucket that does not exist: said, no role left")
def no_bucket(w):
    s = w.setup(bucket=w.fresh("absent"), customer_account_id=C); rc, o, e = w.sh(w.docs(s)["cli"], "--yes"); want(rc != 0 and not made(w, s), f"{rc} {e}")
@trial("scripts", "B", "bash and dash")
def bash(w):
    s = w.setup(customer_account_id=C); rc, _, e = w.sh(w.docs(s)["cli"], "--yes", shell="bash"); want(rc == 0 and made(w, s), e)

# keys
def user_of(w, before): n = set(w.users()) - set(before); want(len(n) == 1, f"new users {n}"); return n.pop()
@trial("keys", "B", "documents of an access-key setup: no role in any, trust and bucket policies null, Version 2012-10-17")
def key_docs(w):
    d = w.docs(w.setup(auth="access_key")); want(d["trust_policy"] is None and d["permission_policy"]["Version"] == "2012-10-17", d["trust_policy"]); bad = [k for k in ("cli", "cloudformation", "terraform") if re.search(r"create-role|AWS::IAM::Role|aws_iam_role\b|sts:AssumeRole", d[k] or "")]; want(all(d[k] for k in ("cli", "cloudformation", "terraform")) and not bad, bad)
    want("aws_iam_user" in d["terraform"] and "aws_iam_access_key" not in re.sub("#.*", "", d["terraform"]), "terraform")
@trial("keys", "B", "script: user, policy, key; secret shown once and in no file; second run shows the key's ID, never the secret; connects; --undo removes all")
def key_script(w):
    s = w.setup(bucket=w.bucket(others=True), auth="access_key"); t = w.docs(s)["cli"]; a, u0 = w.rules(s["bucket"]), w.users(); rc, o, e = w.sh(t, "--yes"); want(rc == 0, f"{rc} {e[-500:]}"); u = user_of(w, u0); kid = w.root("iam").list_access_keys(UserName=u)["AccessKeyMetadata"][0]["AccessKeyId"]; want(kid in o, o)
    words_ = [x for x in re.findall(r"[A-Za-z0-9/+=]{38,44}", o) if x != kid]; want(words_, "no secret on stdout: " + o); sec = words_[0]; files = [f for f in os.listdir(w.cwd) if f != "script.sh" and os.path.isfile(os.path.join(w.cwd, f)) and sec in open(os.path.join(w.cwd, f), errors="replace").read()]; want(not files, files)
    rc, o2, e2 = w.sh(t, "--yes"); want(rc == 0 and kid in o2 + e2 and sec not in o2 + e2 and len(w.root("iam").list_access_keys(UserName=u)["AccessKeyMetadata"]) == 1, f"{rc} {o2} {e2}")
    p = f"/v1/storage-setups/{s['id']}"; status(w.svc().admin("PATCH", p, {"access_key_id": kid, "secret_access_key": sec}), 200); r = status(w.svc().admin("POST", p + "/check", wait=20), 200); want(r["outcome"] != "failed", [x for x in r["steps"] if x["status"] == "failed"]); st = status(w.svc().admin("POST", p + "/complete"), 201); want(st["access_key_id"] == kid, st); status(w.svc().admin("GET", f"/v1/storages/{st['id']}/documents"), 200)
    rc, o, e = w.sh(t, "--undo", "--yes"); want(rc == 0 and u not in w.users() and w.rules(s["bucket"]) == a, f"undo {rc} {o} {e}")
@trial("keys", "B", "--undo leaves a user with a key that the script did not make, and says so")
def key_undo(w):
    s = w.setup(auth="access_key"); t = w.docs(s)["cli"]; u0 = w.users(); w.sh(t, "--yes"); u = user_of(w, u0); k = w.root("iam").create_access_key(UserName=u)["AccessKey"]["AccessKeyId"]; rc, o, e = w.sh(t, "--undo", "--yes"); want(u in w.users() and k in [x["AccessKeyId"] for x in w.root("iam").list_access_keys(UserName=u)["AccessKeyMetadata"]], "gone"); want("key" in (o + e).lower(), o + e)
@trial("keys", "B", "no terminal, no --yes: exit 2, no user")
def key_no_tty(w): s = w.setup(auth="access_key"); u0 = w.users(); rc, o, e = w.sh(w.docs(s)["cli"]); want(rc == 2 and w.users() == u0, f"{rc} {e}")
@trial("keys", "B", "a user of that name that is not ours stays untouched")
def key_stranger(w):
    s = w.setup(auth="access_key"); t = w.docs(s)["cli"]; u0 = w.users(); w.sh(t, "--yes"); u = user_of(w, u0); w.sh(t, "--undo", "--yes"); want(u not in w.users(), "undo"); w.root("iam").create_user(UserName=u); rc, o, e = w.sh(t, "--yes"); want(rc != 0 and not w.root("iam").list_user_policies(UserName=u)["PolicyNames"] and not w.root("iam").list_access_keys(UserName=u)["AccessKeyMetadata"], f"{rc} {o} {e}")
@trial("keys", "B", "S3-compatible endpoint: IAM forms null, CORS and lifecycle remain")
def key_endpoint(w):
    d = w.docs(w.setup(auth="access_key", endpoint="https://s3.example.com", region="fr-par")); want(d["trust_policy"] is None and d["cloudformation"] is None and d["terraform"] is None and d["cors"] and d["lifecycle"], {k: bool(v) for k, v in d.items()}); want("iam " not in (d["cli"] or ""), "script uses IAM")
@trial("keys", "L", "age of the key is shown by storage and page; replacing keys keeps the proven one until the new one passes")
def key_age(w):
    b = w.bucket(); k = w.user(C, w.fresh("u"), [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]); s = w.setup(bucket=b, auth="access_key", access_key_id=k[0], secret_access_key=k[1], browser_access=False); p = f"/v1/storage-setups/{s['id']}"; status(w.svc().admin("POST", p + "/check", wait=10), 200); st = status(w.svc().admin("POST", p + "/complete"), 201)
    want(any("access_key" in x and x.endswith("_at") for x in st), sorted(st)); status(w.svc().admin("PATCH", f"/v1/storages/{st['id']}", {"access_key_id": "AKIAAAAAAAAAAAAAAAAA", "secret_access_key": "x" * 40}), 200); a = status(w.svc().admin("GET", f"/v1/storages/{st['id']}"), 200); want(a.get("pending"), a); status(w.svc().admin("GET", f"/v1/storages/{st['id']}/files/content", key="/a.txt"), 200)
