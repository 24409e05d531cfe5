"""`kubectl cyroid`: what people see and do at a terminal, with their own kubeconfig.

It talks to the Kubernetes API alone, as kubectl does (`import` talks to ours), and shows what
`overview/` reads from the two kinds: nothing is computed that status does not say. What takes
time to import is imported by the command that needs it, so that `--help` costs nothing.

    program      the entry point: errors become one line and an exit code
    commands     the table of commands, each loaded when it is called
    options      what commands have in common: which api, which ranges, which output
    cluster/     the user's cluster: kubeconfig, calls, objects as they change
    screen/      what is printed: tables, words, marks, lines that change in place
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
