"""The errors of the API as exceptions: a class for each code. A code that this package does not know yet is a plain
`SallyportError`."""

import json
from typing import Any

import httpx


class SallyportError(Exception):
    """An error that the service answered (RFC 9457)."""

    def __init__(self, status: int, problem: dict[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        #: The whole problem, with the members that only some codes have.
        self.problem = problem
        #: What kind of problem it is; stable.
        self.code: str = problem.get("code", "")
        #: What happened, and why.
        self.detail: str = problem.get("detail", f"The server answered {status}, and not as Sallyport does.")
        #: What to do about it.
        self.remedy: str | None = problem.get("remedy")
        #: The operator finds the request in the log by it.
        self.request_id: str | None = problem.get("request_id")
        #: The fields that were refused, each with `field`, `code` and `detail`.
        self.errors: list[dict[str, str]] = problem.get("errors", [])
        #: In how many seconds to try again.
        self.retry_after = retry_after
        super().__init__(f"{self.detail} ({self.code or 'no code'}, HTTP {status}, request {self.request_id})")


from ._codes import *  # noqa: E402, F403  (the classes are made of SallyportError)
from ._codes import CLASSES  # noqa: E402


def raise_for_problem(response: httpx.Response) -> None:
    """Raises what the service refused. A hook of httpx."""
    if response.status_code < 400:
        return
    response.read()
    try:
        problem = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    pause = response.headers.get("Retry-After", "")
    kind = CLASSES.get(problem.get("code", ""), SallyportError)
    raise kind(response.status_code, problem, float(pause) if pause.isdecimal() else None)
