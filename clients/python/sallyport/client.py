"""A client of the generated code that repeats what may be repeated, and raises what failed."""

import ssl
import time
import uuid
from collections.abc import Callable, Mapping

import httpx

from . import errors
from ._routes import TAKES_IDEMPOTENCY_KEY
from .rest.client import AuthenticatedClient

IDEMPOTENCY_KEY = "Idempotency-Key"
#: The statuses after which a request may succeed when it is repeated.
REPEATABLE = frozenset({429, 503})
#: How often a request is repeated.
MOST_REPETITIONS = 4
#: A service that asks for a longer pause than this, in seconds, is not waited for.
LONGEST_PAUSE = 60.0


def connect(
    url: str,
    key: str,
    *,
    workspace: str | None = None,
    actor: str | None = None,
    timeout: float | httpx.Timeout = 150.0,
    verify: bool | ssl.SSLContext = True,
    transport: httpx.BaseTransport | None = None,
) -> AuthenticatedClient:
    """A client for the server at `url`.

    `key` is a product key, the operator's token or a workspace's token. `workspace` is the workspace that a product
    key acts in: its ID, or `external:` and the product's own ID of the tenant. `actor` is the product's ID of the user
    on whose behalf it acts, for the audit log. `timeout` is in seconds; a check may wait for two minutes.
    `transport` sends the requests; the default one verifies certificates as `verify` says.
    """
    headers = {}
    if workspace is not None:
        headers["Sallyport-Workspace"] = workspace
    if actor is not None:
        headers["Sallyport-Actor"] = actor
    return AuthenticatedClient(
        base_url=url.rstrip("/"),
        token=key,
        headers=headers,
        timeout=timeout if isinstance(timeout, httpx.Timeout) else httpx.Timeout(timeout),
        httpx_args={
            "transport": Repeating(transport or httpx.HTTPTransport(verify=verify)),
            "event_hooks": {"response": [errors.raise_for_problem]},
        },
    )


class Repeating(httpx.BaseTransport):
    """Adds idempotency keys, and repeats a request after the pause that the answer asks for."""

    def __init__(self, inner: httpx.BaseTransport, sleep: Callable[[float], None] = time.sleep) -> None:
        self._inner = inner
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and IDEMPOTENCY_KEY not in request.headers and takes_key(request.url.path):
            request.headers[IDEMPOTENCY_KEY] = str(uuid.uuid4())
        repetitions = 0
        while True:
            response = self._inner.handle_request(request)
            pause = retry_after(response.headers)
            if (
                response.status_code not in REPEATABLE
                or pause is None
                or pause > LONGEST_PAUSE
                or repetitions == MOST_REPETITIONS
                or not may_be_repeated(request)
            ):
                return response
            response.close()
            self._sleep(pause)
            repetitions += 1

    def close(self) -> None:
        self._inner.close()


def takes_key(path: str) -> bool:
    """Whether a POST to this path takes an idempotency key. The server may be below a path of its own."""
    return any(pattern.search(path) for pattern in TAKES_IDEMPOTENCY_KEY)


def may_be_repeated(request: httpx.Request) -> bool:
    """Whether the body is still there, and a second request changes nothing more than the first."""
    is_kept = isinstance(request.stream, httpx.ByteStream)
    is_harmless = request.method in ("GET", "HEAD", "PUT", "DELETE") or IDEMPOTENCY_KEY in request.headers
    return is_kept and is_harmless


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of `Retry-After`; the service sends no dates."""
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if seconds >= 0 else None
