"""What people are shown of the two kinds, as JSON: read from spec and status, nothing else.

The REST API answers with these, the command line prints them, the client reads them. Names
of fields that CYROID's clients know are theirs; what is ours stands beside them.

    answer       the base of all of them
    ranges       one range: in a list, and in full
    events       all ranges of an event
    pages        a page of ranges, and what changed of them
    operations   a push, as CYROID's clients follow it
    blueprints   a blueprint's images and where they are; what came of an import
    registry     what a registry holds and lacks, and how it is
    places       what a place in the registry is called
    used_by      which ranges want an image
    collection   the last collection
    people       who asks, and what this installation can do
    doctor       every precondition of an installation, with what to do
    explain      one image name: how it is read, where it is, who wants it, why it is not here
    images       what a registry holds or is to hold, as its ImageCache alone tells it
"""
