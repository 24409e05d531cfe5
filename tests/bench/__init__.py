"""The operator beside the ways by hand, measured on real parts in one run.

`python -m tests.bench` starts the operator as a process of its own against a real API
server, registries and Docker engines with either image store, all in a private network,
lets operator and docker commands do the same work by turns, and prints one table. Time is
taken from outside: an object is applied, a condition is seen. It judges by the table only:
no figure of a shared machine makes a test fail.
"""
