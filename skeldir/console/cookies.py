"""What a browser holds: one sealed cookie with the sign-in and the secret of its forms.

The sign-in is a refresh token that the console never rotates and checks against the database at
every request; sealed, it is of no use at the API to whoever may read the cookie jar.
"""

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, current_app, request

from skeldir.security.refresh import RefreshToken, parse_refresh_token
from skeldir.security.sealing import Place, Sealed, UnsealError, seal, unseal

NAME: Final = "skeldir_console"
CSRF_FIELD: Final = "csrf_token"
_NOWHERE: Final = UUID(int=0)
_PLACE: Final = Place(tenant_id=_NOWHERE, purpose="console-cookie", row_id=_NOWHERE)


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser: the secret in its forms, and its sign-in when there is one."""

    csrf_token: str = field(repr=False)
    refresh_token: RefreshToken | None = None

    def sent_our_form(self) -> bool:
        """Tell whether the request's form was ours, made for this very browser.

        The origin is compared as well, where the browser tells it; not its scheme, which a proxy
        that ends TLS hides from us.
        """
        sent = request.form.get(CSRF_FIELD, "")
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            return False
        return hmac.compare_digest(sent.encode(), self.csrf_token.encode())


def fresh_browser(refresh_token: RefreshToken | None = None) -> Browser:
    """Return a browser with a new form secret: made anew at each sign-in, so none is carried in."""
    return Browser(secrets.token_urlsafe(24), refresh_token)


def read_browser() -> Browser | None:
    """Return what the request's cookie holds; None when there is none, or it is not ours."""
    try:
        key_id, value = request.cookies.get(NAME, "").split(".")
        opened = unseal(Sealed(key_id, urlsafe_b64decode(value)), _PLACE)
    except (UnsealError, ValueError):
        return None
    held = json.loads(opened)
    return Browser(held["csrf"], parse_refresh_token(held["token"]))


def give(response: Response, browser: Browser) -> Response:
    """Let the browser keep its cookie until it is closed."""
    token = browser.refresh_token.text() if browser.refresh_token else ""
    sealed = seal(json.dumps({"csrf": browser.csrf_token, "token": token}).encode(), _PLACE)
    response.set_cookie(
        NAME,
        f"{sealed.key_id}.{urlsafe_b64encode(sealed.value).decode()}",
        path=request.script_root or "/",
        secure=request.is_secure or bool(current_app.config["IS_PUBLIC_HTTPS"]),
        httponly=True,
        samesite="Lax",  # a link from a chat finds one signed in; nothing that a GET does changes anything
    )
    return response
