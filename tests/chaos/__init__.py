"""`make chaos`: everything breaks at random, from a seed, and what was promised is checked.

Here are the driver of that (`python -m tests.chaos`) and the driver that kills the operator
at a named step of a delivery (`stepping`). Both act on real parts from outside; there is no
code for them in the product.
"""
