"""Joins everything: the ports of the controller are filled with leaves and transfers here.

`operator` is the running operator, from its start in order to its end; `assembly` joins the
leaves to the controller and is the only module that knows everything; `lookers`, `watchers` and
`movers` fill its ports with leaves and transfers, `secrets` and `secret_reader` the port for
Secrets, `clock` that for the time; `startup` says what must be so before any work.
"""
