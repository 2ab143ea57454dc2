"""Answers without their error types, and lists as iterators."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any, TypeVar

from .rest.models.problem import Problem

T = TypeVar("T")


def ok(answer: T | Problem | None) -> T:
    """The answer of a generated function. An error was raised before, which its type does not say."""
    if answer is None or isinstance(answer, Problem):
        raise TypeError(f"not a success: {answer!r}")
    return answer


def pages(operation: ModuleType, *path: str, **arguments: Any) -> Iterator[Any]:
    """Every page of a list, such as `pages(list_files, storage_id, client=client, folder="/")`."""
    while True:
        page: Any = ok(operation.sync(*path, **arguments))
        yield page
        token = getattr(page, "next_page_token", None)
        if not token:
            return
        arguments["page_token"] = token


def items(operation: ModuleType, member: str, *path: str, **arguments: Any) -> Iterator[Any]:
    """The members of every page of a list, such as `items(list_storages, "storages", client=client)`."""
    for page in pages(operation, *path, **arguments):
        yield from getattr(page, member)
