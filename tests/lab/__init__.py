"""A real Kubernetes on this machine, in seconds, and gone without a trace.

The demo, the end-to-end tests, the fault tests and the benchmark run on it.
`up`, `down` and `Lab` are what they use; `python -m tests.lab` is for people.
"""
