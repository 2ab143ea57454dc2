"""A client of Sallyport. `sallyport.rest` is generated; this package makes it comfortable."""

from . import errors, files, webhooks
from .client import connect
from .paging import items, ok, pages

__all__ = ["connect", "errors", "files", "items", "ok", "pages", "webhooks"]
