"""Moves: each one function that composes leaves and ends in a proof.

Blocking, cancellable, safe to repeat: a move looks before it works, leaves no transport
name behind, and a name that a person uses appears only when the image is complete.
"""
