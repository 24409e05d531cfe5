"""What to say of an object: its status, condition by condition.

    range_report, cache_report  the status of a RangeImages; that of an ImageCache
    coverage                    which images are where, and why not
    availability                who answers
    keep_ready                  what could not be seen says nothing against what was proven
    transfer_rows               what moves
    source_images               what source engines hold, and whether the registry has it
    ready                       the summary: Ready, and why not
    tar_record                  which images went as a tar, and why
    initial_status              what an object says before anything was seen
    observed_generation         which generation a status speaks of
    progress_text, delivery_summary   sentences: of what moves; of what was delivered

Pure, like all of `plan`. Not here: the write (`report`).
"""
