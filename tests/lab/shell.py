"""Runs one program to its end; its output is shown only when it fails."""

import subprocess
from collections.abc import Mapping, Sequence

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
        said = "\n".join((done.stdout + done.stderr).splitlines()[-TAIL:])
        raise LabError(f"{' '.join(words)} ended with {done.returncode}\n{said}")
    return done.stdout
