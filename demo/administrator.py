"""Demo only: a page that plays the customer's AWS administrator.

It lists the open setups of the demo workspace. Its button does what the administrator of the customer's
AWS account would do with a setup's documents: it runs `sallyport provision` with that account's
credentials. The service of the demo passes its `/dev/…` routes on to here; `customer.py` does what they ask.
"""

import contextlib
import html
import http.server
import json
import os
import threading
import urllib.parse

import accounts
import customer
import environment
from api import Api

PORT = 8081
NAME = "Demo helper: the customer's AWS administrator"
# The largest body of a call.
MOST_BYTES = 4096

STYLE = """
:root { color-scheme: light dark; --ink: #1b2330; --quiet: #5a6575; --paper: #fff; --line: #d4d9e0;
  --red: #b3261e; --field: #f4f6f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --quiet: #a3adba; --paper: #14181f;
  --line: #39414d; --red: #d8483f; --field: #1d232c; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
.demo { background: #b3261e; color: #fff; padding: 12px 16px; }
main { max-width: 760px; margin: 0 auto; padding: 16px; }
h1 { font-size: 24px; line-height: 1.25; } h2 { font-size: 18px; margin: 0; overflow-wrap: anywhere; }
section { border: 1px solid var(--line); border-radius: 8px; padding: 16px; margin: 16px 0; }
section p { margin: 8px 0; } .quiet { color: var(--quiet); }
code { font: 14px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
button { font: inherit; min-height: 40px; padding: 4px 16px; border-radius: 6px; cursor: pointer;
  border: 1px solid var(--line); background: var(--field); color: var(--ink); }
button.first { background: #0b5cad; border-color: #0b5cad; color: #fff; }
:focus-visible { outline: 3px solid #e08a00; outline-offset: 2px; }
form { display: inline-block; margin: 4px 8px 4px 0; }
.done { background: var(--field); border-left: 4px solid #2f8a4c; padding: 8px 12px; margin: 12px 0; }
button:hover { border-color: var(--ink); } a { color: #0b5cad; }
@media (prefers-color-scheme: dark) { a { color: #79b8ff; } }
.failed, .careless { border-left-color: var(--red); }
"""

SCRIPT = """
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = "Copied";
});
let working = false;
document.addEventListener("submit", (event) => { working = true; event.submitter.textContent = "Working…"; });
// On return from the dialog, show its current state.
document.addEventListener("visibilitychange", () => { if (!document.hidden && !working) location.reload(); });
"""


class Administrator:
    """The administrator and the results of their actions."""

    def __init__(self, state):
        self.state = state
        self.api = Api(state["url"], state["workspace"]["admin"])
        # Setup ID -> (class, words, role ARN or None).
        self.done = {}

    def setups(self):
        listed = self.api("GET", "/v1/storage-setups")
        if listed.status != 200:
            return []
        # Newest first.
        return [setup for setup in reversed(listed.json["storage_setups"]) if setup["status"] == "open"]

    def act(self, action, setup_id):
        setup = next((setup for setup in self.setups() if setup["id"] == setup_id), None)
        if setup is None or not setup["bucket"]:
            return
        documents = self.api("GET", f"/v1/storage-setups/{setup['id']}/documents")
        if documents.status != 200:
            self.done[setup_id] = ("failed", documents.json["detail"], None)
        elif action == "apply":
            self.done[setup_id] = self.apply(setup, documents.content)
        else:
            self.done[setup_id] = self.be_careless(setup, documents.json)

    def apply(self, setup, documents):
        try:
            done = customer.provision(self.state, setup, documents)
        except customer.Refused as refused:
            return "failed", str(refused), None
        parts = ", ".join(
            f"{words} {done[name]}"
            for name, words in (
                ("role", "role"),
                ("user", "user"),
                ("permission_policy", "permission policy"),
                ("access_key", "access key"),
                ("cors", "CORS"),
                ("lifecycle", "lifecycle"),
            )
            if done.get(name)
        )
        words = f"Applied in account {accounts.CUSTOMER}: {parts}."
        role_arn = done.get("role_arn")
        if done.get("secret_access_key"):
            words += (
                f" Enter this access key in the dialog. Access key ID: {done['access_key_id']}. "
                f"Secret access key: {done['secret_access_key']}."
            )
        elif role_arn and role_arn == setup.get("expected_role_arn"):
            words += " The dialog finds this role by itself:"
        elif role_arn and role_arn != setup.get("role_arn"):
            words += f" Enter the account ID {accounts.CUSTOMER} in the dialog, and it finds this role by itself:"
        return "good", words, role_arn

    def be_careless(self, setup, documents):
        try:
            role_arn = accounts.unguarded_role(
                self.state["aws_url"],
                self.state["keys"]["customer"],
                f"acme-careless-{os.urandom(3).hex()}",
                documents["trust_policy"],
                documents["permission_policy"],
            )
        except Exception as error:  # Any error of the emulator is shown on the page.
            return "failed", str(error), None
        words = (
            "This role does not require the external ID. Enter its ARN in the dialog, under Use another role: the "
            "check rejects it."
        )
        return "careless", words, role_arn

    def sign_in_link(self, role):
        """A link that signs this browser in to the pages once, as the product would make it."""
        purpose = "settings" if role == "admin" else "projects"
        return environment.sign_in_link(self.state["url"], self.state["workspace"]["id"], role, purpose)

    def page(self):
        cards = "".join(self.card(setup) for setup in self.setups())
        empty = (
            "<section><p>No setup is open in the demo workspace. Choose "
            f"<em>Add storage</em> at <a href='{self.state['url']}'>Sallyport</a>, "
            "enter a bucket, and <a href='/'>reload this page</a>.</p></section>"
        )
        return (
            "<!doctype html><html lang='en'><meta charset='utf-8'>"
            "<meta name='viewport' content='width=device-width, initial-scale=1'>"
            f"<title>{NAME}</title><link rel='icon' href='data:,'><link rel='stylesheet' href='/style.css'>"
            "<script src='/script.js' defer></script>"
            "<div class='demo' role='note'><strong>Demo only.</strong> This page is not part of Sallyport. It plays a "
            f"person with all permissions in the emulated AWS account {accounts.CUSTOMER}.</div>"
            f"<main><h1>{NAME}</h1>"
            f"<p>The account has the bucket <code>{accounts.CUSTOMER_BUCKET}</code>, with sample files below "
            "<code>team/</code>. Each setup that is open in the demo workspace:</p>"
            f"{cards or empty}<p><a href='/'>Reload</a></p>"
            "<section><h2>Sign in again</h2><p class='quiet'>The product does this in reality: it makes a link for a "
            "user it knows. Here you choose who you are. One browser is one person: use a private window for "
            "the second.</p>"
            "<form method='post' action='/sign-in/admin'><button>Sign in as admin</button></form>"
            "<form method='post' action='/sign-in/member'><button>Sign in as member</button></form>"
            "</section></main></html>"
        )

    def card(self, setup):
        name = html.escape(setup.get("display_name") or setup["bucket"] or "No bucket yet")
        if not setup["bucket"]:
            return (
                f"<section><h2>{name}</h2><p class='quiet'>Opened {html.escape(setup['created_at'])}. "
                "Enter a bucket in the dialog first.</p></section>"
            )
        where = html.escape(f"{setup['bucket']}/{setup['prefix'] or ''}")
        access = "read and write" if setup["access"] == "read_write" else "read"
        by_role = setup["auth"] == "role"
        return (
            f"<section><h2>{name}</h2><p><code>{where}</code>, {access}<br>"
            f"<span class='quiet'>External ID <code>{html.escape(setup['external_id'])}</code></span></p>"
            + self.result(setup["id"])
            + _button("apply", setup["id"], f"Apply these documents in account {accounts.CUSTOMER}", "first")
            + (_button("careless", setup["id"], "Make a role without the external ID instead", "") if by_role else "")
            + "</section>"
        )

    def result(self, setup_id):
        if setup_id not in self.done:
            return ""
        kind, words, role_arn = self.done[setup_id]
        arn = ""
        if role_arn:
            arn = html.escape(role_arn)
            arn = f"<p><code id='arn'>{arn}</code></p><p><button type='button' data-copy='{arn}'>Copy the role ARN</button></p>"
        return f"<div class='done {kind}' role='status'><p>{html.escape(words)}</p>{arn}</div>"


def _button(action, setup_id, words, kind):
    setup_id = html.escape(setup_id)
    return (
        f"<form method='post' action='/{action}'><input type='hidden' name='setup' value='{setup_id}'>"
        f"<button class='{kind}'>{words}</button></form>"
    )


def _problem(refused):
    """An error in the form that the API's errors have (RFC 9457)."""
    title = http.HTTPStatus(refused.status).phrase
    members = {"type": "about:blank", "title": title, "status": refused.status}
    return {**members, "code": refused.code, "detail": str(refused)}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if not self.is_ours(self.headers.get("Host"), ""):
            return self.answer(403, "text/plain", "Wrong host.")
        match self.path:
            case "/":
                return self.answer(200, "text/html", self.server.administrator.page())
            case "/style.css":
                return self.answer(200, "text/css", STYLE)
            case "/script.js":
                return self.answer(200, "text/javascript", SCRIPT)
        return self.answer(404, "text/plain", "Not found.")

    def do_POST(self):
        if self.path.startswith("/dev/"):
            return self.by_call()
        # Accept only this page's own forms: another site must not act as the administrator.
        if not self.is_ours(self.headers.get("Host"), "") or not self.is_ours(self.headers.get("Origin"), "http://"):
            return self.answer(403, "text/plain", "This request came from another site.")
        length = self.headers.get("Content-Length", "")
        if self.path in ("/sign-in/admin", "/sign-in/member"):
            return self.sign_in(self.path.rpartition("/")[2])
        if self.path not in ("/apply", "/careless") or not length.isdecimal() or int(length) > 1000:
            return self.answer(404, "text/plain", "Not found.")
        form = urllib.parse.parse_qs(self.rfile.read(int(length)).decode("ascii", "replace"))
        self.server.administrator.act(self.path[1:], form.get("setup", [""])[0])
        self.go("/")

    def by_call(self):
        """A call that the service passed on. A page of another site cannot send JSON without a preflight."""
        length = self.headers.get("Content-Length", "")
        if not self.is_ours(self.headers.get("Host"), "") or self.headers.get_content_type() != "application/json":
            return self.answer(403, "text/plain", "This request came from another site.")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return self.answer(413, "text/plain", "Too large.")
        asked = json.loads(self.rfile.read(int(length)))
        side = self.server.customer
        try:
            with side.turn:
                match self.path:
                    case "/dev/customer/apply":
                        done = side.apply(asked["setup_id"])
                    case "/dev/break":
                        done = side.break_(asked["storage_id"], asked["how"])
                    case "/dev/repair":
                        done = side.repair(asked["storage_id"])
                    case _:
                        raise customer.Refused(404, "not_found", "There is nothing at this address.")
        except customer.Refused as refused:
            return self.answer(refused.status, "application/problem+json", json.dumps(_problem(refused)))
        except Exception as error:  # The caller is a developer, who can do more with it than the terminal.
            failed = customer.Refused(502, "emulator_failed", f"{type(error).__name__}: {error}")
            return self.answer(502, "application/problem+json", json.dumps(_problem(failed)))
        return self.answer(200, "application/json", json.dumps(done))

    def sign_in(self, role):
        try:
            link = self.server.administrator.sign_in_link(role)
        except (environment.DemoFailed, OSError) as error:
            return self.answer(502, "text/plain", f"The service did not make a sign-in link: {error}")
        self.go(link)

    def go(self, address):
        self.send_response(303)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()

    def is_ours(self, value, scheme):
        port = self.server.server_port
        return value in (f"{scheme}127.0.0.1:{port}", f"{scheme}localhost:{port}")

    def answer(self, status, kind, text):
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        # Signing in leads to the service.
        service = self.server.administrator.state["url"]
        policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:"
        policy += f"; form-action 'self' {service}"
        self.send_header("Content-Security-Policy", f"{policy}; base-uri 'none'; frame-ancestors 'none'")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Logs nothing: the terminal belongs to the demo."""


class Helper:
    """The page's server. It listens before there is a service, which has to know its address."""

    def __init__(self):
        self.port = environment.choose_port("the demo helper", PORT)
        self.url = f"http://127.0.0.1:{self.port}/"

    @contextlib.contextmanager
    def serving(self, state):
        """Serves the page on 127.0.0.1 until the end, and then repairs what was broken by calls."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        server.administrator = Administrator(state)
        server.customer = customer.Customer(state)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            server.customer.repair_everything()
