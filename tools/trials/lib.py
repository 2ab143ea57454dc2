"""World, HTTP, browser and checks for the trials. Nothing here reads the implementation."""
import contextlib, json, os, re, shutil, subprocess, sys, tempfile, threading, time, uuid, traceback
sys.path.insert(0, "tools")
import services  # servers only: the emulator
import boto3, botocore, requests
from botocore.config import Config
from bs4 import BeautifulSoup

REGION = "us-east-1"
VENDOR, CUSTOMER, OTHER = "111111111111", "222222222222", "333333333333"
BUILT_IN, TEMPLATES = "sallyport-built-in", "vendor-templates"
OPERATOR = "trial-operator-token-of-more-than-32-chars"
AWSCLI = ".build/aws-cli/bin"
OWN_LIFE = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}}
OWN_CORS = {"ID": "theirs", "AllowedMethods": ["GET"], "AllowedOrigins": ["https://theirs.example"], "MaxAgeSeconds": 7}

TRIALS = []
class Fail(Exception): pass
class Skip(Exception): pass

def trial(group, owner, expect):
    def keep(fn):
        TRIALS.append((group, owner, fn.__name__, expect, fn)); return fn
    return keep

def want(ok, came):
    if not ok:
        raise Fail(came if isinstance(came, str) else json.dumps(came, default=str)[:900])

def status(reply, *codes):
    if reply.status not in codes:
        raise Fail(f"status {reply.status}, wanted {'/'.join(map(str, codes))}: {reply.text[:700]}")
    return reply.json

class Reply:
    def __init__(self, r):
        self.status, self.text, self.headers, self.content, self.url = r.status_code, r.text, r.headers, r.content, r.url
        try: self.json = r.json()
        except ValueError: self.json = None

class Api:
    def __init__(self, url, token): self.url, self.token = url, token
    def __call__(self, method, path, body=None, headers=None, data=None, timeout=150, **query):
        h = {"Accept": "application/json", **({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        return Reply(requests.request(method, self.url + path, json=body, data=data, headers=h, params=query, timeout=timeout, allow_redirects=False))

class Browser:
    """Pages without script: links and forms."""
    def __init__(self, url):
        self.s, self.base = requests.Session(), url; self.s.headers["Accept"] = "text/html,application/xhtml+xml,*/*;q=0.8"
    def get(self, path, **q):
        r = self.s.get(path if path.startswith("http") else self.base + path, params=q, timeout=60); self.last = Reply(r); return self.last
    def soup(self, path=None, **q):
        if path: self.get(path, **q)
        return BeautifulSoup(self.last.text, "html.parser")
    def text(self, path=None, **q): return words(self.soup(path, **q))
    def submit(self, form, values=None, button=None):
        data = form_values(form); data.update(values or {})
        if button is not None and button.get("name"): data[button["name"]] = button.get("value", "")
        action = (button.get("formaction") if button is not None else None) or form.get("action") or self.last.url
        if not action.startswith("http"):
            from urllib.parse import urljoin
            action = urljoin(self.last.url, action)
        if (form.get("method") or "get").lower() == "get": r = self.s.get(action, params=data, timeout=150)
        elif "multipart" in (form.get("enctype") or ""): r = self.s.post(action, files={k: (None, v) for k, v in data.items()}, timeout=150)
        else: r = self.s.post(action, data=data, timeout=150)
        self.last = Reply(r); return self.last

def form_values(form):
    out = {}
    for e in form.find_all(["input", "select", "textarea"]):
        n = e.get("name")
        if not n or e.has_attr("disabled"): continue
        if e.name == "select":
            o = e.find("option", selected=True) or e.find("option"); out[n] = o.get("value", o.get_text()) if o else ""
        elif e.name == "textarea": out[n] = e.get_text()
        elif e.get("type") in ("checkbox", "radio"):
            if e.has_attr("checked"): out[n] = e.get("value", "on")
        elif e.get("type") in ("submit", "button", "file", "image"): pass
        else: out[n] = e.get("value", "")
    return out

def words(soup):
    soup = BeautifulSoup(str(soup), "html.parser")
    for t in soup(["script", "style", "template"]): t.decompose()
    return re.sub(r"\s+", " ", soup.get_text(" ")).replace("\u00a0", " ").replace("\u00ad", "").replace("\u200b", "").strip()

def plain(text): return text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')

class Service(services.Server):
    name = "the service"
    def __init__(self, world, folder, extra, key, region=REGION):
        os.makedirs(folder, exist_ok=True)
        super().__init__(os.path.join(folder, "service.log"))
        self.world, self.folder, self.extra, self.key, self.port = world, folder, extra, key, services.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
    def start(self):
        env = {k: os.environ[k] for k in ("PATH", "HOME", "LANG") if k in os.environ}
        env.update({"SALLYPORT_LISTEN": f"127.0.0.1:{self.port}", "SALLYPORT_DATA_DIR": os.path.join(self.folder, "data"),
            "SALLYPORT_PUBLIC_URL": self.url, "SALLYPORT_OPERATOR_TOKEN": OPERATOR, "SALLYPORT_ENDPOINT_NETWORKS": "127.0.0.0/8",
            "SALLYPORT_BUILT_IN_BUCKET": BUILT_IN, "SALLYPORT_CHECKS_PER_MINUTE": "6000", "SALLYPORT_LOG": "info",
            **aws_env(self.world.aws, self.key), **self.extra})
        env = {k: v for k, v in env.items() if v is not None}
        os.makedirs(os.path.join(self.folder, "data"), mode=0o700, exist_ok=True)
        self.spawn([self.world.binary, "serve"], env=env, cwd=self.folder)
        self.wait_until(lambda: services.answers(f"{self.url}/readyz"))
        if not hasattr(self, "ws"):
            self.op = Api(self.url, OPERATOR); self.ws, self.admin, self.member = self.workspace("Acme Research")
            self.ws2, self.admin2, _ = self.workspace("Stranger")
    def workspace(self, name):
        w = status(self.op("POST", "/v1/workspaces", {"name": name}), 201)
        t = {r: Api(self.url, status(self.op("POST", f"/v1/workspaces/{w['id']}/tokens", {"name": r, "role": r}), 201)["token"]) for r in ("admin", "member")}
        return w["id"], t["admin"], t["member"]
    def log_text(self): return open(self.log, encoding="utf-8", errors="replace").read()
    def browser(self, role="admin", purpose="settings", **body):
        u = status(self.op("POST", f"/v1/workspaces/{self.ws}/sign-in-links", {"role": role, "purpose": purpose, **body}), 201)["url"]
        b = Browser(self.url); b.get(u); return b

def aws_env(url, key, region=REGION):
    return {"AWS_ENDPOINT_URL": url, "AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1],
            "AWS_EC2_METADATA_DISABLED": "true"}

class World:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.stack, self.svcs, self.n = binary, folder, contextlib.ExitStack(), {}, 0
        self.lock = threading.RLock()
    def __enter__(self):
        self.emu = self.stack.enter_context(services.Emulator(self.folder)); self.aws = self.emu.url
        for a, b in ((VENDOR, BUILT_IN), (VENDOR, TEMPLATES)): self.root("s3", a).create_bucket(Bucket=b)
        allow = lambda actions, r: {"Effect": "Allow", "Action": actions, "Resource": r}
        self.vendor = self.user(VENDOR, "sallyport", [allow("sts:AssumeRole", "arn:aws:iam::*:role/*")] + [
            allow("s3:*", [f"arn:aws:s3:::{b}", f"arn:aws:s3:::{b}/*"]) for b in (BUILT_IN, TEMPLATES)])
        self.customer = self.user(CUSTOMER, "admin", [allow("*", "*")])
        self.other = self.user(OTHER, "admin", [allow("*", "*")])
        # a PATH without jq
        self.bin = os.path.join(self.folder, "bin"); os.makedirs(self.bin, exist_ok=True)
        for d in ("/bin", "/usr/bin"):
            for f in os.listdir(d):
                if f not in ("jq", "aws") and not os.path.lexists(os.path.join(self.bin, f)): os.symlink(os.path.join(d, f), os.path.join(self.bin, f))
        os.symlink(os.path.join(AWSCLI, "aws"), os.path.join(self.bin, "aws"))
        return self
    def __exit__(self, *a): self.stack.close()
    def client(self, service, key, region=REGION):
        return boto3.client(service, region_name=region, endpoint_url=self.aws, aws_access_key_id=key[0], aws_secret_access_key=key[1],
            aws_session_token=None, config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}))
    def root(self, service, account=CUSTOMER, region=REGION): return self.client(service, (account, "test"), region)
    def user(self, account, name, statements):
        iam = self.root("iam", account); iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="access", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}))
        k = iam.create_access_key(UserName=name)["AccessKey"]; return (k["AccessKeyId"], k["SecretAccessKey"])
    def svc(self, name="main", key=None, **extra):
        with self.lock:
            if name not in self.svcs:
                self.svcs[name] = self.stack.enter_context(Service(self, os.path.join(self.folder, "svc-" + name), extra, key or self.vendor))
            return self.svcs[name]
    def fresh(self, stem="acme"):
        with self.lock: self.n += 1
        return f"{stem}-{self.n}-{uuid.uuid4().hex[:6]}"
    def bucket(self, account=CUSTOMER, others=False, region=REGION, files=("a.txt", "b/c.txt"), prefix="team/", name=None, acl=False):
        s3, name = self.root("s3", account, region), name or self.fresh("acme-data")
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": {"LocationConstraint": region}} if region != REGION else {}),
                         **({"ObjectOwnership": "ObjectWriter"} if acl else {}))
        if acl:
            with contextlib.suppress(Exception): s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
        for f in files: s3.put_object(Bucket=name, Key=prefix + f, Body=("body of " + f).encode())
        if others:
            s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [OWN_CORS]})
            s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [OWN_LIFE]})
        return name
    def rules(self, bucket, account=CUSTOMER):
        s3, out = self.root("s3", account), {}
        try: out["cors"] = s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
        except botocore.exceptions.ClientError: out["cors"] = None
        try:
            a = s3.get_bucket_lifecycle_configuration(Bucket=bucket); out["lifecycle"] = a["Rules"]; out["smallest"] = a.get("TransitionDefaultMinimumObjectSize")
        except botocore.exceptions.ClientError: out["lifecycle"] = None
        return out
    def roles(self, account=CUSTOMER):
        return sorted(r["RoleName"] for p in self.root("iam", account).get_paginator("list_roles").paginate() for r in p["Roles"])
    def users(self, account=CUSTOMER):
        return sorted(r["UserName"] for p in self.root("iam", account).get_paginator("list_users").paginate() for r in p["Users"])
    def setup(self, svc=None, **fields):
        svc = svc or self.svc()
        if "bucket" not in fields: fields["bucket"] = self.bucket()
        fields.setdefault("prefix", "team")
        return status(svc.admin("POST", "/v1/storage-setups", fields), 201)
    def docs(self, s, svc=None): return status((svc or self.svc()).admin("GET", f"/v1/storage-setups/{s['id']}/documents"), 200)
    def sh(self, script, *args, key=None, cwd=None, shell="sh", stdin=None, region=REGION, env=None):
        """The script as an administrator runs it: no terminal, no jq. (returncode, stdout, stderr)"""
        cwd = cwd or tempfile.mkdtemp(dir=self.folder)
        p = os.path.join(cwd, "script.sh"); open(p, "w").write(script)
        e = {"PATH": self.bin, "HOME": cwd, "LANG": "C.UTF-8", **aws_env(self.aws, key or self.customer, region), **(env or {})}
        d = subprocess.run([shell, p, *args], env=e, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150, start_new_session=True)
        self.cwd = cwd
        return d.returncode, d.stdout, d.stderr
    def pty(self, command, answer, key=None, wait=40, env=None):
        """Runs with a terminal and types `answer` when it has been quiet for a moment."""
        import pty, select
        cwd = tempfile.mkdtemp(dir=self.folder)
        e = {"PATH": self.bin, "HOME": cwd, "LANG": "C.UTF-8", "TERM": "dumb", **aws_env(self.aws, key or self.customer), **(env or {})}
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(cwd); os.execve(command[0], command, e)
        out, end, typed, last = b"", time.time() + wait, False, time.time()
        while time.time() < end:
            r, _, _ = select.select([fd], [], [], 0.3)
            if r:
                try: part = os.read(fd, 65536)
                except OSError: break
                if not part: break
                out += part; last = time.time()
            elif not typed and time.time() - last > 2.5 and out.strip():
                os.write(fd, answer.encode()); typed = True
        else: os.kill(pid, 9)
        _, st = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(st), out.decode(errors="replace")
    def cli(self, *args, key=None, env=None, input=None, aws=True):
        e = {"PATH": os.environ["PATH"], "HOME": self.folder, "LANG": "C.UTF-8", **(aws_env(self.aws, key or self.customer) if aws else {}), **(env or {})}
        d = subprocess.run([self.binary, *args], env=e, cwd=self.folder, input=input if input is not None else "", capture_output=True, text=True, timeout=170, start_new_session=True)
        return d.returncode, d.stdout, d.stderr
    def connect(self, svc=None, **fields):
        """A completed storage by role, made here with root's hands from the JSON documents alone. (storage, setup, role)"""
        svc = svc or self.svc()
        s = self.setup(svc, **fields); d = self.docs(s, svc)
        role = self.fresh("role"); self.make_role(role, d)
        self.set_cors(s["bucket"], d)
        status(svc.admin("PATCH", f"/v1/storage-setups/{s['id']}", {"role_arn": f"arn:aws:iam::{CUSTOMER}:role/{role}"}), 200)
        r = status(svc.admin("POST", f"/v1/storage-setups/{s['id']}/check", wait=20), 200)
        want(r["outcome"] != "failed", {"check": [x for x in r["steps"] if x["status"] == "failed"]})
        return status(svc.admin("POST", f"/v1/storage-setups/{s['id']}/complete"), 201), s, role
    def make_role(self, role, d, path="/", account=CUSTOMER):
        iam = self.root("iam", account)
        iam.create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=json.dumps(d["trust_policy"]))
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=json.dumps(d["permission_policy"]))
    def set_cors(self, bucket, d, account=CUSTOMER):
        if d.get("cors"):
            c = d["cors"]; self.root("s3", account).put_bucket_cors(Bucket=bucket, CORSConfiguration=c if isinstance(c, dict) else {"CORSRules": c})

def role_name(arn): return arn.rsplit("/", 1)[-1]
def problem(reply, code=None, *codes):
    want(reply.json is not None and "code" in (reply.json or {}), f"{reply.status} no problem: {reply.text[:300]}")
    if code: want(reply.json["code"] in (code, *codes), f"{reply.status} code {reply.json['code']} (wanted {code}): {reply.json.get('detail')}")
    return reply.json
