"""`kubectl cyroid`: what people see and do at a terminal, with their own kubeconfig.

It talks to the Kubernetes API alone, as kubectl does (`import` talks to ours), and shows what
`overview/` reads from the two kinds: nothing is computed that status does not say. What takes
time to import is imported by the command that needs it, so that `--help` costs nothing.

    program      the entry point: errors become one line and an exit code
    commands     the table of commands, each loaded when it is called
    options      what commands have in common: which api, which ranges, which output
    connection   kubeconfig to a client, as kubectl reads it
    api_server   the Kubernetes API in a few verbs; what went wrong, and what to do
    objects      both kinds read from the API, and patched
    parsing      what objects of the API mean
    following    objects as they change; survives a lost watch
    output       tables, JSON and YAML, on a terminal and elsewhere
    words        sizes, ages, bars and marks as people read them
    painting     lines that change in place, or one line per change
    rows         a range and a push as one line
    showing      ranges as a table, one in full, both as they change
    status       the command `status`
    waiting      the command `wait`
    images       the commands `images`, `push`, `delete`
    explaining   the command `explain`
    examining    the command `doctor`, and what it reads of the cluster
    steering     the commands `reconcile`, `suspend`, `resume`, `gc`
    blueprints/  the commands `blueprint` and `import`
    exporting    the command `export`
    bundling     the command `support-bundle`
    about        the commands `version` and `completion`
"""
