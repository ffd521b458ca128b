"""What every answer says to the browser, whatever it is an answer to."""

from datetime import timedelta

from flask import Flask, Response, request

SURE = timedelta(days=365)
"""How long a browser remembers that this site is https only."""


def install(web: Flask, public_url: str) -> None:
    """Pages that say more about themselves keep what they say."""

    @web.after_request
    def harden(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if public_url.startswith("https://") or request.is_secure:
            headers["Strict-Transport-Security"] = f"max-age={int(SURE.total_seconds())}"
        return response
