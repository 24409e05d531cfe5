"""`kubectl cyroid` as a real process: without a terminal, or on one of its own (a pty)."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.parts.operator import PROGRAM
from tests.parts.waiting import A_WHILE

COMMAND = (
    sys.executable,
    "-c",
    "from cyroid_images.console.program import main; main()",
)
"""As the entry point `kubectl-cyroid` does."""
ROWS, COLUMNS = 40, 100
_STEERING = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class Console:
    """The tool as one user, with an environment of its own."""

    def __init__(self, kubeconfig: Path | None, home: Path, **environment: str) -> None:
        self._home = home
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(PROGRAM),
            "LANG": "C.UTF-8",
            **({"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}),
            **environment,
        }

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """One command to its end, without a terminal; the caller reads code and texts."""
        return subprocess.run(
            [*COMMAND, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=2 * A_WHILE,
            check=False,
            cwd=self._home,
            env=self._environment,
        )

    def says(self, *arguments: str) -> str:
        """The output of a command that must succeed and complain of nothing."""
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def complains(self, *arguments: str, code: int = 1) -> str:
        """The one line on standard error of a command that must fail."""
        done = self.run(*arguments)
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr
        (line,) = done.stderr.splitlines()
        return line

    def unread(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """A command whose reader is gone before it writes, as behind `| head -0`."""
        read, write = os.pipe()
        os.close(read)
        try:
            return subprocess.run(
                [*COMMAND, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=write,
                stderr=subprocess.PIPE,
                timeout=2 * A_WHILE,
                check=False,
                cwd=self._home,
                env=self._environment,
            )
        finally:
            os.close(write)

    @contextmanager
    def begun(self, *arguments: str) -> Iterator[Begun]:
        """A command that goes on, without a terminal; killed at the end if it runs still."""
        read, write = os.pipe()
        process = self._popen(arguments, stdin=subprocess.DEVNULL, stdout=write, stderr=write)
        os.close(write)
        yield from _kept(Begun(process, read))

    @contextmanager
    def on_terminal(self, *arguments: str, columns: int = COLUMNS) -> Iterator[Begun]:
        """A command on a terminal of so many columns; killed at the end if it runs still."""
        main, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        process = self._popen(arguments, stdin=child, stdout=child, stderr=child)
        os.close(child)
        yield from _kept(Begun(process, main))

    def _popen(
        self, arguments: Sequence[str], *, stdin: int, stdout: int, stderr: int
    ) -> subprocess.Popen[bytes]:
        environment: Mapping[str, str] = {**self._environment, "TERM": "xterm-256color"}
        # A run in the background ignores Ctrl-C, and so would its children.
        return subprocess.Popen(
            ["env", "--default-signal=INT", *COMMAND, *arguments],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=self._home,
            env=environment,
            start_new_session=True,
        )


class Begun:
    """A command that runs, and what it wrote."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self._process, self.descriptor = process, descriptor
        self.raw = ""
        """Everything so far, as it was written."""

    @property
    def text(self) -> str:
        """The same without what steers a terminal."""
        return _STEERING.sub("", self.raw)

    def until(self, *words: str, seconds: float = A_WHILE) -> str:
        """Read until it has written all of these words."""
        deadline = time.monotonic() + seconds
        while not all(word in self.text for word in words):
            assert time.monotonic() < deadline, f"waited for {words}: {self.raw[-3000:]!r}"
            assert self._read() or self._process.poll() is None, f"it ended: {self.raw[-3000:]!r}"
        return self.text

    def write(self, text: str) -> None:
        """As somebody types it."""
        os.write(self.descriptor, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end(self, seconds: float = A_WHILE) -> int:
        """Its exit code, once it has ended by itself."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end: {self.raw[-3000:]!r}"
            self._read()
        while self._read():
            pass
        return self._process.returncode

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(A_WHILE)

    def _read(self) -> bool:
        ready, _, _ = select.select([self.descriptor], [], [], 0.2)
        if not ready:
            return False
        with suppress(OSError):  # a terminal whose other side is closed
            if found := os.read(self.descriptor, 1 << 16):
                self.raw += found.decode(errors="replace")
                return True
        return False


def _kept(begun: Begun) -> Iterator[Begun]:
    try:
        yield begun
    finally:
        begun.kill()
        os.close(begun.descriptor)
