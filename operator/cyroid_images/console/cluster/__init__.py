"""The user's cluster, as kubectl reaches it.

connection   kubeconfig to a client, as kubectl reads it
api_server   the Kubernetes API in a few verbs; what went wrong, and what to do
objects      both kinds read from the API, and patched
parsing      what objects of the API mean
following    objects as they change; survives a lost watch
"""
