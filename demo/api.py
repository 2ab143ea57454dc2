"""A small client for the service's JSON API. Standard library only."""

import json
import urllib.error
import urllib.parse
import urllib.request


class Answer:
    """A response: its status, headers and body, parsed where it is JSON."""

    def __init__(self, status, headers, content):
        self.status = status
        self.headers = headers
        self.content = content
        self.json = json.loads(content) if content and "json" in headers.get("Content-Type", "") else None


class Api:
    def __init__(self, url, token, timeout=150, headers=None):
        self.url = url
        self.token = token
        self.timeout = timeout
        self.headers = headers or {}

    def __call__(self, method, path, body=None, **query):
        """Calls the API. An error status is returned like any other response."""
        url = self.url + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self.token}", **self.headers}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())


def download(url, headers):
    """Downloads a signed URL, without a token and with only the headers returned with the URL."""
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read()
