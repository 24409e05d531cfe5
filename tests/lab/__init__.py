"""A real Kubernetes on this machine, in seconds, and gone without a trace.

The demo, the end-to-end tests, the fault tests and the benchmark run on it:

    from tests.lab import lab
    running = lab.up("e2e")
    ...
    lab.down("e2e")

For people there is `python -m tests.lab`.
"""
