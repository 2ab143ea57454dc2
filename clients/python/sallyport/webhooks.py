"""Webhooks, verified by the Standard Webhooks library."""

from collections.abc import Mapping
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

__all__ = ["WebhookVerificationError", "verify"]


def verify(secret: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """The event in a request, `{"type", "timestamp", "data"}`. `body` is the request's as it came, before anybody
    parsed it. Raises `WebhookVerificationError` where the signature is not of this secret or older than five
    minutes."""
    event: dict[str, Any] = Webhook(secret).verify(body, dict(headers))
    return event
