"""A file's bytes, without the whole file in memory."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import IO
from urllib.parse import quote

import httpx

from .rest.client import AuthenticatedClient
from .rest.models.signed_urls import SignedUrls
from .rest.models.stored_file import StoredFile

CHUNK = 1 << 16


def _path(storage_id: str) -> str:
    return f"/v1/storages/{quote(storage_id, safe='')}/files/content"


@contextlib.contextmanager
def stream(
    client: AuthenticatedClient, storage_id: str, key: str, *, range: str | None = None
) -> Iterator[Iterator[bytes]]:
    """The bytes of a file as they come. `range` is a part of it, like `bytes=0-1023`."""
    headers = {} if range is None else {"Range": range}
    with client.get_httpx_client().stream("GET", _path(storage_id), params={"key": key}, headers=headers) as response:
        yield response.iter_bytes(CHUNK)


def upload(
    client: AuthenticatedClient,
    storage_id: str,
    key: str,
    content: bytes | IO[bytes] | Iterable[bytes],
    *,
    content_type: str | None = None,
    size: int | None = None,
    only_new: bool = False,
) -> StoredFile:
    """Stores a file. `size`, where it is known of a stream, is sent as its length. With `only_new` a file that is
    there already stays, and `errors.PreconditionFailed` is raised."""
    headers = {"Content-Type": content_type or "application/octet-stream"}
    if size is not None:
        headers["Content-Length"] = str(size)
    if only_new:
        headers["If-None-Match"] = "*"
    http: httpx.Client = client.get_httpx_client()
    response = http.put(_path(storage_id), params={"key": key}, content=content, headers=headers)
    return StoredFile.from_dict(response.json())


def signed_urls(answer: SignedUrls) -> list[str]:
    """The URLs of an answer with signed URLs, in the order of the keys, in either format."""
    if not isinstance(answer.items, list):
        return [signed.url for signed in answer.urls]
    return [f"{answer.base}{key}?{answer.query}&X-Amz-Signature={signature}" for key, signature in answer.items]
