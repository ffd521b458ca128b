"""Asks LINE which account an access token belongs to."""

import json

import urllib3
from urllib3.exceptions import HTTPError

TIMEOUT = urllib3.Timeout(connect=3.0, read=5.0)


class TokenRefused(Exception):
    """LINE does not know the access token (any more)."""


class OutOfReach(Exception):
    """LINE did not answer, or not as documented."""


def account_name(api_url: str, access_token: str) -> str:
    """The account's basic id and name (Messaging API reference, "Get bot info"). Raises TokenRefused or OutOfReach."""
    headers = {"Authorization": f"Bearer {access_token}"}
    try:
        with urllib3.PoolManager(retries=False, timeout=TIMEOUT) as pool:
            answer = pool.request("GET", f"{api_url.rstrip('/')}/v2/bot/info", headers=headers, redirect=False)
        if answer.status in (401, 403):
            raise TokenRefused
        info = json.loads(answer.data) if answer.status == 200 else None
    except (HTTPError, ValueError) as error:
        raise OutOfReach(type(error).__name__) from error
    if not isinstance(info, dict):
        raise OutOfReach(f"status {answer.status}")
    return f"{info.get('displayName', '')} ({info.get('basicId', '')})"
