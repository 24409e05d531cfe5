"""Keeps the push listener down for a moment: a push in flight would lose what it has sent.

The shell script that runs the listener (`push.sh` of the chart) looks at a folder that both
containers see. While `paused` is there and was touched within the last minute it stops the
listener, and says `stopped` when its process has ended. So nothing that happens to this
process keeps pushes waiting for longer than a minute.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cyroid_images.errors import CyroidError

PAUSED = "paused"
STOPPED = "stopped"
BEAT_SECONDS = 1.0
"""Between two touches."""
LATE_SECONDS = 30.0
"""Without a touch for so long nothing more is removed: the script waits for a minute."""
STOP_SECONDS = 60.0
"""How long the listener may take to end: requests under way get some seconds."""
_POLL_SECONDS = 0.05
_DIAL_SECONDS = 1.0


class GateError(CyroidError):
    """The push listener cannot be stopped, or may have been started again."""


class Gate:
    """One folder, and the port of the listener on this machine."""

    def __init__(
        self, folder: Path, port: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._port = port
        self._clock = clock
        self._touched = float("-inf")
        self._was_old = False

    def open(self) -> None:
        """Let pushes go on, whoever has stopped them; raises OSError."""
        self._paused.unlink(missing_ok=True)

    @property
    def is_closed(self) -> bool:
        """Does the listener stand still, or is about to?"""
        return self._paused.exists()

    @contextlib.contextmanager
    def closed(self, step: Callable[[], None]) -> Iterator[Callable[[], None]]:
        """While the listener is down; yields what to call before each removal.

        `step` is called while it is waited for, too, and may raise. Raises GateError or OSError.
        """
        over = threading.Event()
        beat = threading.Thread(target=self._beat, args=(over,), name="gate", daemon=True)
        try:
            self._was_old = False
            self._paused.touch()
            self._touch()
            beat.start()
            self._wait(step)

            def check() -> None:
                step()
                self._check()

            yield check
        finally:
            over.set()
            if beat.ident is not None:
                beat.join()
            self.open()

    @property
    def _paused(self) -> Path:
        return self._folder / PAUSED

    def _touch(self) -> None:
        """Never makes it: whoever has removed it meanwhile has let pushes go on. Never again after
        the file looked old to the script, whose clock may have been moved: see `_check`."""
        if self._looked_old():
            return
        os.utime(self._paused)
        self._touched = self._clock()

    def _looked_old(self) -> bool:
        """By the clock of the file system, as the script judges; once so, for ever so."""
        age = abs(time.time() - self._paused.stat().st_mtime)
        self._was_old = self._was_old or age > LATE_SECONDS
        return self._was_old

    def _beat(self, over: threading.Event) -> None:
        while not over.wait(BEAT_SECONDS):
            with contextlib.suppress(OSError):  # told by the next check
                self._touch()

    def _wait(self, step: Callable[[], None]) -> None:
        ends = self._clock() + STOP_SECONDS
        while not ((self._folder / STOPPED).exists() and self._is_refusing()):
            step()
            if self._clock() > ends:
                raise GateError(
                    f"the push listener at port {self._port} has not stopped within"
                    f" {STOP_SECONDS:g} s: does it run by push.sh, over the same gate folder?"
                )
            time.sleep(_POLL_SECONDS)

    def _check(self) -> None:
        late = self._clock() - self._touched
        if late > LATE_SECONDS:
            raise GateError(
                f"this process stood still for {late:.0f} s: the push listener may run again"
            )
        if self._paused.exists() and self._looked_old():
            raise GateError("the clock was moved: the push listener may run again")
        if not self._paused.exists():
            raise GateError("somebody else has opened the gate: the push listener may run again")

    def _is_refusing(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), _DIAL_SECONDS):
                return False
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
