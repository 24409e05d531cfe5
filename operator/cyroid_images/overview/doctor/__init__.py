"""The doctor: every precondition of an installation as a row, with what to do.

`LOOKS` says what is read of the cluster, by whoever reads it (the REST API, the command line);
`examine` draws the rows from what was found. What could not be read makes a row unknown, with
the right that is missing: never ok.

    facts           what is read, and what was found
    checks          the row, and its results
    installation    custom resources, operator, certificates
    caches          registries and sources
    ranges          engines, namespaces, readiness gates
    examination     all of them, in the order in which people should read
"""
