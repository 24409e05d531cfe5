"""The figures of the operator on real parts: reaction, rest, transfers, memory.

`python -m tests.bench` starts the operator as a process of its own against a real API
server, registry and Docker engines, all in a private network, and prints one table. It
judges by the table only: no figure of a shared machine makes a test fail.
"""
