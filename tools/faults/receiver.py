"""A product's receiver of events, which writes down what comes and what it answers. Standard library only."""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import threading


class Receiver:
    """Receives at a URL of this machine. `answer` says by its ID and type what becomes of an event."""

    # The event is taken, and the answer is 204.
    TAKES = "takes"
    # It is not taken, and there is no answer.
    HOLDS = "holds"
    # It is taken, which the service does not learn: `on_taken` is called, and there is no answer.
    FALLS_SILENT = "falls silent"

    def __init__(self):
        self.secret = None
        self.answer = lambda event, type: self.TAKES
        self.on_taken = None
        self.changed = threading.Condition()
        # By an event's ID: how often it came, how often it was answered, and the bodies that it had.
        self.came = collections.Counter()
        self.answered = collections.Counter()
        self.bodies = collections.defaultdict(set)
        self.faults = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.receive(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def receive(self, request):
        body = request.rfile.read(int(request.headers["content-length"]))
        event = request.headers["webhook-id"]
        answer = self.answer(event, json.loads(body)["type"])
        with self.changed:
            if not self._is_signed(request.headers, body):
                self.faults.append(f"{event} has a wrong signature")
            self.came[event] += 1
            self.bodies[event].add(body)
            self.answered[event] += answer == self.TAKES
            self.changed.notify_all()
        if answer == self.TAKES:
            request.send_response(204)
            request.end_headers()
            return
        if answer == self.FALLS_SILENT:
            self.on_taken()
        # Until the service is gone, or gives up: it ends the connection.
        request.rfile.read(1)
        request.close_connection = True

    def _is_signed(self, headers, body):
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        return f"v1,{expected}" in headers["webhook-signature"].split()

    def wait(self, condition, seconds):
        """Whether `condition` is met within this time; it is asked whenever something came."""
        with self.changed:
            return self.changed.wait_for(condition, seconds)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
