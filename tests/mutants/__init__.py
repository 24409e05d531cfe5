"""Do the tests notice a wrong decision? `make mutants` changes one place and looks.

Every mutant is one small change of a module that decides (`scope.MODULES`): `<` for `<=`, a rung
of a ladder that is never taken, a limit that is one higher. It is *killed* if a unit test fails,
and has *survived* if none does: then nobody would notice that mistake.

Of our own, since mutmut leaves decorated functions and module level constants alone, and our
properties, validators and limits are just these. Strings are not changed: words decide nothing.
"""
