"""The AWS emulator with one more ability: a bucket can be made busy. S3 then answers `SlowDown` for it.

`PUT /_dev/busy/BUCKET` makes a bucket busy, `DELETE /_dev/busy/BUCKET` ends it. Both are methods that a web page
of another origin may not send without a preflight, and no preflight is answered.
"""

import sys

from ministack import app as ministack

CONTROL = "/_dev/busy/"
SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message>"
    b"<RequestId>DEVBUSY000000000</RequestId><HostId>dev</HostId></Error>"
)

busy = set()
emulator = ministack.app


def bucket_of(path):
    """The bucket of a path-style address."""
    return path.lstrip("/").split("/", 1)[0]


async def answer(send, status, body=b"", kind=b"text/plain", with_body=True):
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    if status == 503:
        headers.append((b"x-amz-request-id", b"DEVBUSY000000000"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body if with_body else b""})


async def take_body(receive):
    """Reads the request to its end: an answer before that breaks the connection of some clients."""
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return


async def app(scope, receive, send):
    if scope["type"] != "http":
        return await emulator(scope, receive, send)
    path, method = scope["path"], scope["method"]
    if path.startswith(CONTROL):
        await take_body(receive)
        change = {"PUT": busy.add, "DELETE": busy.discard}.get(method)
        if change is None:
            return await answer(send, 405, b"Only PUT and DELETE.\n")
        change(path.removeprefix(CONTROL))
        return await answer(send, 204)
    if bucket_of(path) in busy:
        await take_body(receive)
        return await answer(send, 503, SLOW_DOWN, b"application/xml", method != "HEAD")
    return await emulator(scope, receive, send)


if __name__ == "__main__":
    ministack.app = app
    sys.exit(ministack.main())
