"""The REST API from Python, for callers that block and for those that await.

    with Client("https://cyroid-api.cyroid.svc:8443", token_file()) as client:
        for status in client.push_and_follow("kali-attack:latest"):
            print(status.status, status.progress_percent)

What it answers are the objects of `overview`. Who leaves an event stream closes it: of an
`AsyncClient` by `contextlib.aclosing`.

    blocking       Client
    awaiting       AsyncClient
    surface        every method of both
    calls          every call as a value
    content        what is uploaded, piece by piece
    programs       what takes more than one call
    steps          retries, bounds, reconnecting: done by neither client itself
    server_events  events out of a stream
    wire           a call as httpx takes it
    options        patience, retries, CA, where the token comes from
    errors         what a call can end in
"""

from cyroid_images.client.awaiting import AsyncClient
from cyroid_images.client.blocking import Client
from cyroid_images.client.calls import ImagePage
from cyroid_images.client.errors import (
    ClientError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NotOver,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from cyroid_images.client.options import SERVICE_ACCOUNT_TOKEN, ClientOptions, token_file
from cyroid_images.client.programs import (
    PushesTold,
    RangeNews,
    RegistryNews,
    StatsTold,
    StreamTrouble,
    UnpushedTold,
)

__all__ = [
    "SERVICE_ACCOUNT_TOKEN",
    "AsyncClient",
    "Client",
    "ClientError",
    "ClientOptions",
    "Conflict",
    "Forbidden",
    "ImagePage",
    "Invalid",
    "NotFound",
    "NotOver",
    "PushesTold",
    "RangeNews",
    "RegistryNews",
    "StatsTold",
    "StreamTrouble",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "UnpushedTold",
    "token_file",
]
