"""What people are shown of the two kinds, as JSON: read from spec and status, nothing else.

The REST API answers with these, the command line prints them, the client reads them. Names
of fields that CYROID's clients know are theirs; what is ours stands beside them.

    answer       the base of all of them
    ranges       one range: in a list, and in full
    events       all ranges of an event
    operations   a push, as CYROID's clients follow it
    used_by      which ranges want an image
    doctor       every precondition of an installation, with what to do
    explain      one image name: how it is read, where it is, who wants it, why it is not here
    images       what a registry holds, and what engine sources have beyond it
"""
