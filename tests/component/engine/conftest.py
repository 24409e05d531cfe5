"""The engines that these tests run against, beside those of every component test."""

from tests.parts.engines import any_engine, new_engine

__all__ = ["any_engine", "new_engine"]
