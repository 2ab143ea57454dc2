"""A headless Chromium by the WebDriver protocol, as far as the walk of the example needs it. Standard library only."""

import contextlib
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import services

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
PATIENCE = 60
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-extensions",
    "--no-proxy-server",
    "--lang=en-GB",
    "--window-size=1200,900",
]


class NotSeen(Exception):
    """The page does not show what was waited for."""


class Refused(Exception):
    """The driver refused a command. Often the page changed in between."""


class Page:
    """One browser with one tab."""

    def __init__(self, url):
        self.url = url

    def command(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/{path}".rstrip("/"), data=data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                refused = json.load(error)["value"]
            raise Refused(f"{refused['error']}: {refused['message']}") from error

    def goto(self, url):
        self.command("POST", "url", {"url": url})

    def script(self, text, *arguments):
        return self.command("POST", "execute/sync", {"script": text, "args": list(arguments)})

    def wait(self, what, script, *arguments):
        """Waits until a script returns something that is true. Returns it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                found = self.script(script, *arguments)
            except Refused as refused:
                found, last = None, str(refused)
            else:
                last = ""
            if found:
                return found
            if time.monotonic() > deadline:
                with contextlib.suppress(Refused):
                    last += self.script("return location.href + '\\n' + document.body.innerText")
                raise NotSeen(f"{what} did not come. {last}")
            time.sleep(0.1)

    def find(self, selector):
        return self.wait(selector, "return document.querySelector(arguments[0])", selector)

    def click(self, selector):
        """Clicks the element, as a person does."""
        self.click_element(lambda: self.find(selector))

    def press(self, words):
        """Clicks the button or link that begins with these words."""
        script = """
            return [...document.querySelectorAll("button, a")].find((e) => e.innerText.trim().startsWith(arguments[0])
              && e.checkVisibility() && !e.disabled)"""
        self.click_element(lambda: self.wait(f"the button {words}", script, words))

    def click_element(self, find):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.command("POST", f"element/{find()[ELEMENT]}/click", {})
            except Refused:
                # It moved, or was replaced, in between.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def type(self, selector, text):
        self.command("POST", f"element/{self.find(selector)[ELEMENT]}/value", {"text": text})

    def enter_frame(self, selector):
        self.command("POST", "frame", {"id": self.find(selector)})

    def leave_frame(self):
        self.command("POST", "frame", {"id": None})


@contextlib.contextmanager
def browser():
    """A Chromium of its own profile; driver and browser end with it."""
    port = services.free_port()
    profile = tempfile.mkdtemp(prefix="sallyport-browser-")
    driver = subprocess.Popen(
        ["chromedriver", f"--port={port}", "--log-level=SEVERE"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    page = None
    try:
        base = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + PATIENCE
        while not services.answers(f"{base}/status"):
            if time.monotonic() > deadline or driver.poll() is not None:
                raise services.StartFailed("chromedriver did not start: run `tools/install chromium`")
            time.sleep(0.1)
        options = {"binary": shutil.which("chromium"), "args": [*ARGUMENTS, f"--user-data-dir={profile}"]}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        session = Page(base).command("POST", "session", {"capabilities": capabilities})["sessionId"]
        page = Page(f"{base}/session/{session}")
        yield page
    finally:
        if page:
            with contextlib.suppress(Refused, OSError):
                page.command("DELETE", "")
        driver.terminate()
        driver.wait()
        shutil.rmtree(profile, ignore_errors=True)
