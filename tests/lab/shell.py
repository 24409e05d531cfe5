"""Running a program to its end, its output shown only when it fails."""

import collections
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence

from tests.lab.errors import LabError

TAIL = 30  # lines: enough for the cause, little enough to read


def run(
    command: Sequence[object],
    *,
    timeout: float = 600,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> str:
    """What the command wrote to its standard output; its words may be paths.

    Raises LabError with the tail of its output if it fails, is absent or takes
    longer than `timeout` seconds.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            check=False,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=env,
        )
    except FileNotFoundError as exc:
        raise LabError(f"{words[0]} is not there") from exc
    except subprocess.TimeoutExpired as exc:
        raise LabError(f"{' '.join(words)} took longer than {timeout:.0f} s") from exc
    if done.returncode != 0:
        raise _failed(words, done.returncode, (done.stdout + done.stderr).splitlines())
    return done.stdout


def follow(
    command: Sequence[object],
    says: Callable[[str], None],
    *,
    timeout: float = 600,
    env: Mapping[str, str] | None = None,
) -> None:
    """Runs what takes long; `says` gets each line that it writes, when it writes it.

    Raises LabError as `run` does.
    """
    words = [str(word) for word in command]
    tail = collections.deque[str](maxlen=TAIL)
    is_late = threading.Event()
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=env,
        )
    except FileNotFoundError as exc:
        raise LabError(f"{words[0]} is not there") from exc

    def end() -> None:
        is_late.set()
        process.kill()

    timer = threading.Timer(timeout, end)
    timer.start()
    with process:  # which waits for its end
        try:
            for line in process.stdout or ():
                tail.append(line.rstrip("\n"))
                says(line)
        except BaseException:  # Ctrl-C too
            process.kill()
            raise
        finally:
            timer.cancel()
    if is_late.is_set():
        raise LabError(f"{' '.join(words)} took longer than {timeout:.0f} s")
    if process.returncode != 0:
        raise _failed(words, process.returncode, list(tail))


def _failed(words: Sequence[str], code: int, lines: Sequence[str]) -> LabError:
    return LabError("\n".join([f"{' '.join(words)} ended with {code}", *lines[-TAIL:]]))
