"""Requests to the service, which may be cut off. Standard library only."""

import http.client
import json
import socket
import urllib.parse


class Answer:
    """A response, parsed where it is JSON."""

    def __init__(self, status, headers, content):
        self.status = status
        self.headers = headers
        self.content = content
        is_json = content and "json" in headers.get("content-type", "")
        self.json = json.loads(content) if is_json else {}

    @property
    def code(self):
        return self.json.get("code") if isinstance(self.json, dict) else None

    def __repr__(self):
        return f"{self.status} {self.content[:300].decode(errors='replace')}"


class Client:
    def __init__(self, port, timeout=90):
        self.port = port
        self.timeout = timeout

    def send(self, method, path, token, body=None, key=None, chunked=False, query=None):
        """Sends a request. Returns None where it was cut off, so that nobody knows what became of it."""
        if query:
            path += "?" + urllib.parse.urlencode(query)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        elif body is not None:
            headers["Content-Type"] = "application/octet-stream"
        if chunked:
            whole = body
            body = (whole[at : at + 65536] for at in range(0, len(whole), 65536))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.request(method, path, body=body, headers=headers, encode_chunked=chunked)
            response = connection.getresponse()
            content = response.read()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, content)
        except (OSError, http.client.HTTPException, socket.timeout):
            return None
        finally:
            connection.close()
