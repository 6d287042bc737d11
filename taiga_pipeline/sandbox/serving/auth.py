"""Passwords, tokens, and who a request comes from."""

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from taiga_pipeline.sandbox.errors import bad_token, not_authenticated
from taiga_pipeline.sandbox.models import User
from taiga_pipeline.sandbox.store import Store

ACCESS_LIFETIME = timedelta(hours=24)
REFRESH_LIFETIME = timedelta(days=8)
_EXPIRED = "Token is invalid or expired"
# A sandbox guards nothing; a cheap hash keeps tests fast and passwords unreadable in a saved file.
_ITERATIONS = 1_000


def hash_password(password: str) -> str:
    """A salted hash of a password."""
    salt = secrets.token_hex(8)
    return f"{salt}${_digest(password, salt)}"


def _digest(password: str, salt: str) -> str:
    digest = hashlib.pbkdf2_hmac(
        "sha256", password.encode("utf-8", "replace"), salt.encode(), _ITERATIONS
    )
    return digest.hex()


def password_matches(password: str, hashed: str) -> bool:
    """Whether a password is the one that was hashed."""
    salt, _, digest = hashed.partition("$")
    return bool(digest) and hmac.compare_digest(_digest(password, salt), digest)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _signature(store: Store, message: str) -> str:
    return _encode(hmac.new(store.secret.encode(), message.encode(), hashlib.sha256).digest())


def _token(store: Store, kind: str, user: User, expires: datetime) -> str:
    header = _encode(b'{"typ":"JWT","alg":"HS256"}')
    claims = {
        "token_type": kind,
        "exp": expires.timestamp(),
        "jti": uuid.uuid4().hex,
        "user_id": user.id,
    }
    message = f"{header}.{_encode(json.dumps(claims).encode())}"
    return f"{message}.{_signature(store, message)}"


def new_tokens(store: Store, user: User) -> dict[str, str]:
    """A fresh pair as the log-in and the refresh answer it: `auth_token` and `refresh`."""
    now = store.clock.now()
    return {
        "auth_token": _token(store, "access", user, now + ACCESS_LIFETIME),
        "refresh": _token(store, "refresh", user, now + REFRESH_LIFETIME),
    }


def claims_of(store: Store, token: str) -> dict[str, Any] | None:
    """What a token says, or None if it is forged, broken or expired."""
    message, _, signature = token.rpartition(".")
    if not hmac.compare_digest(
        _signature(store, message).encode(), signature.encode("utf-8", "replace")
    ):
        return None
    claims: dict[str, Any] = json.loads(_decode(message.split(".")[1]))
    if claims["exp"] <= store.clock.now().timestamp():
        return None
    return claims


def _invalid_access(reason: str) -> Exception:
    message = {"token_class": "AccessToken", "token_type": "access", "message": reason}
    return bad_token("Given token not valid for any token type", "token_not_valid", [message])


def access_user(store: Store, token: str) -> User:
    """The account that a Bearer token stands for.

    Raises:
        ApiError: 401 for a token that is expired, revoked, forged or of another type.
    """
    claims = claims_of(store, token)
    if claims is None or claims["jti"] in store.revoked_access_tokens:
        raise _invalid_access(_EXPIRED)
    if claims["token_type"] != "access":  # noqa: S105 - a kind, not a secret
        raise _invalid_access("Token has wrong type")
    user = store.users.get(claims["user_id"])
    if user is None or not user.is_active:
        raise bad_token("User not found", "user_not_found")
    return user


def revoke_access(store: Store, authorization: str) -> None:
    """Let the access token of an Authorization header expire now."""
    claims = claims_of(store, authorization.partition(" ")[2])
    if claims is not None:
        store.revoked_access_tokens.add(claims["jti"])


def refresh(store: Store, token: str) -> dict[str, str]:
    """Trade a refresh token, which is spent by it, for a new pair.

    Raises:
        ApiError: 401 for a token that was used before, is expired, or is no refresh token.
    """
    claims = claims_of(store, token)
    user = store.users.get(claims["user_id"]) if claims else None
    if (
        claims is None
        or user is None
        or claims["token_type"] != "refresh"  # noqa: S105 - a kind, not a secret
        or claims["jti"] in store.spent_refresh_tokens
    ):
        raise bad_token(_EXPIRED, "token_not_valid")
    store.spent_refresh_tokens.add(claims["jti"])
    return new_tokens(store, user)


def authenticate(store: Store, authorization: str) -> User | None:
    """Who sends a request; None is anonymous, and so is every scheme that Taiga does not know.

    Raises:
        ApiError: 401 for a Bearer or Application header that is not valid.
    """
    words = authorization.split()
    if not words or words[0] not in ("Bearer", "Application"):
        return None
    if words[0] == "Application":
        return _application_user(store, words[1] if len(words) > 1 else "")
    if len(words) != 2:
        raise bad_token(
            "Authorization header must contain two space-delimited values",
            "bad_authorization_header",
        )
    return access_user(store, words[1])


def _application_user(store: Store, token: str) -> User | None:
    for row in store.application_tokens:
        if hmac.compare_digest(row.token.encode(), token.encode("utf-8", "replace")):
            return store.users.get(row.user)
    raise not_authenticated("Invalid token")
