"""Makes the Secrets of the registry where they are absent: password, htpasswd, http.secret.

Each is made by itself and the htpasswd is derived from the password that is stored, so a run
that was cut short is completed by the next. To rotate the password delete the push Secret
and `cyroid-registry-htpasswd`, then run this again (`helm upgrade` does).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import bcrypt
from kubernetes.client import ApiException, CoreV1Api, V1ObjectMeta, V1Secret

from cyroid_images.bootstrap.kubernetes_api import CALL_SECONDS, blamed_on, status_of
from cyroid_images.errors import CyroidError

PUSH_SECRET = "cyroid-registry-push"  # noqa: S105 - the name of a Secret
HTPASSWD_SECRET = "cyroid-registry-htpasswd"  # noqa: S105 - the name of a Secret
HTTP_SECRET = "cyroid-registry-http"  # noqa: S105 - the name of a Secret
LISTENERS = ("pull", "push")

_BASIC_AUTH = "kubernetes.io/basic-auth"
_USERNAME = "cyroid"
_RANDOM_BYTES = 32
"""256 bits: nobody guesses that, whatever the hash costs."""
_BCRYPT_COST = 5
"""The registry checks the password at every request, so the cost is paid per blob: 2 ms at 5,
240 ms at 12. It would protect a weak password only from one who reads the htpasswd but not the
Secret beside it, which holds the password itself."""
_BCRYPT_BYTES = 72
"""bcrypt reads no more of a password; a longer one would be cut in silence."""


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """The user that may push."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.username!r}, password hidden)"

    def htpasswd(self) -> bytes:
        """The line that a registry reads; another one at each call, since bcrypt salts."""
        digest = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(_BCRYPT_COST))
        return self.username.encode() + b":" + digest + b"\n"


class SecretStore:
    """The Secrets of one namespace: read and create, nothing else."""

    def __init__(self, api: CoreV1Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    def read(self, name: str) -> Mapping[str, bytes] | None:
        """The decoded data, or None only if the API server says that there is no such Secret."""
        with blamed_on(f"get Secret {self._namespace}/{name}", holds_secrets=True):
            try:
                found = self._api.read_namespaced_secret(
                    name, self._namespace, _request_timeout=CALL_SECONDS
                )
            except ApiException as refused:
                if status_of(refused) == 404:
                    return None
                raise
        return {key: base64.b64decode(value) for key, value in (found.data or {}).items()}

    def create(self, name: str, data: Mapping[str, bytes], *, kind: str = "Opaque") -> bool:
        """True if it was made, False if somebody else made it meanwhile."""
        labels = {"app.kubernetes.io/part-of": "cyroid-images"}
        body = V1Secret(
            metadata=V1ObjectMeta(name=name, labels=labels),
            type=kind,
            data={key: base64.b64encode(value).decode() for key, value in data.items()},
        )
        with blamed_on(f"create Secret {self._namespace}/{name}", holds_secrets=True):
            try:
                self._api.create_namespaced_secret(
                    self._namespace, body, _request_timeout=CALL_SECONDS
                )
            except ApiException as refused:
                if status_of(refused) == 409:
                    return False
                raise
        return True


def run(
    store: SecretStore, *, push_secret: str = PUSH_SECRET, push_must_exist: bool = False
) -> tuple[str, ...]:
    """Make what is absent; returns the names of the Secrets that this run made.

    `push_must_exist` is for a push Secret that an administrator named: a typo must not become
    a new password. Raises CyroidError if that Secret is absent, a Secret is not usable, or the
    API server refuses.
    """
    made = []
    if store.read(push_secret) is None:
        if push_must_exist:
            raise CyroidError(
                f"Secret {push_secret} is configured as existing but does not exist; create it"
            )
        made += _created(store, push_secret, _new_credentials(), kind=_BASIC_AUTH)
    # Read back even when just made: of two that run at once only one wins.
    credentials = _credentials_in(push_secret, store.read(push_secret) or {})
    if store.read(HTPASSWD_SECRET) is None:
        made += _created(store, HTPASSWD_SECRET, {"htpasswd": credentials.htpasswd()})
    if store.read(HTTP_SECRET) is None:
        made += _created(store, HTTP_SECRET, {name: _random() for name in LISTENERS})
    return tuple(made)


def _created(
    store: SecretStore, name: str, data: Mapping[str, bytes], *, kind: str = "Opaque"
) -> list[str]:
    return [name] if store.create(name, data, kind=kind) else []


def _new_credentials() -> dict[str, bytes]:
    return {"username": _USERNAME.encode(), "password": _random()}


def _random() -> bytes:
    return secrets.token_urlsafe(_RANDOM_BYTES).encode()


def _credentials_in(name: str, data: Mapping[str, bytes]) -> RegistryLogin:
    """What an htpasswd file can express, or a CyroidError that names the Secret and the rule."""
    try:
        username, password = (data[key].decode() for key in ("username", "password"))
    except (KeyError, UnicodeDecodeError):
        raise CyroidError(f"Secret {name} needs `username` and `password` as text") from None
    if not username or not username.isprintable() or ":" in username:
        raise CyroidError(f"Secret {name}: `username` is empty or has a colon or a newline")
    if not password or len(password.encode()) > _BCRYPT_BYTES or "\0" in password:
        raise CyroidError(f"Secret {name}: `password` must have 1 to {_BCRYPT_BYTES} bytes, no NUL")
    return RegistryLogin(username, password)
