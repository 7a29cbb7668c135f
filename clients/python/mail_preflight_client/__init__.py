"""The HTTP API of Mail Preflight for a host app in Python. docs/api.md describes what it does."""

from mail_preflight_client.client import Client
from mail_preflight_client.errors import ApiError, StreamInterrupted
from mail_preflight_client.streams import Frame
from mail_preflight_client.webhooks import InvalidWebhook, verify_webhook

__all__ = ["ApiError", "Client", "Frame", "InvalidWebhook", "StreamInterrupted", "verify_webhook"]
