"""The defects of the predecessor's transfer code, and the test that guards against each.

The ids are those of the project's list of inputs: R references, S silent untruths, E errors,
C concurrency, X trust. A test carries its id in its name
(`test_p_e4_...`), so that `pytest -k p_e4` finds it; `test_defects.py` compares both ways.
Where several tests carry an id, the one named here says it most plainly.
"""

from __future__ import annotations

DEFECTS: dict[str, tuple[str, str]] = {
    "P-R1": (
        "a port without a tag was read as a tag",
        "tests/unit/model/test_reference.py::test_p_r1_each_part_stands_where_docker_puts_it",
    ),
    "P-R2": (
        "name@digest and name:tag@digest became illegal names",
        (
            "tests/component/loop/test_names.py"
            "::test_p_r2_a_digest_reference_is_cached_pulled_and_tagged"
        ),
    ),
    "P-R3": (
        "the host of the source was dropped, so names of two hosts collided",
        (
            "tests/component/loop/test_names.py"
            "::test_p_r3_p_r5_one_path_on_several_hosts_is_another_image_on_each"
        ),
    ),
    "P-R4": (
        "push stripped the host; exists, delete and list did not",
        "tests/component/transfer/test_matrix.py::test_p_r4_the_registry_tells_what_was_pushed",
    ),
    "P-R5": (
        "localhost/x was not seen as a registry",
        (
            "tests/component/loop/test_names.py"
            "::test_p_r3_p_r5_one_path_on_several_hosts_is_another_image_on_each"
        ),
    ),
    "P-R6": (
        "image IDs were passed as names",
        (
            "tests/unit/reconcile/test_controller.py"
            "::test_p_r6_an_image_id_past_the_schema_stalls_as_no_reference"
        ),
    ),
    "P-R7": (
        "user text came unescaped into URLs",
        (
            "tests/unit/registry/test_names.py"
            "::test_p_r7_a_repository_with_user_text_never_reaches_a_url"
        ),
    ),
    "P-R8": (
        "Docker Hub images with a namespace were guessed to be local only",
        (
            "tests/component/transfer/test_find_upstream.py"
            "::test_p_r8_an_image_of_docker_hub_is_asked_for_with_its_namespace"
        ),
    ),
    "P-S1": (
        "a tag that exists counted as the image, so a rebuild was never pushed",
        (
            "tests/component/loop/test_changes.py"
            "::test_p_s1_a_tag_that_moved_at_the_source_is_delivered_everywhere"
        ),
    ),
    "P-S2": (
        "a name in the engine ended the work, whatever its content",
        (
            "tests/component/loop/test_changes.py"
            "::test_p_s2_a_name_that_was_given_to_another_image_is_corrected"
        ),
    ),
    "P-S3": (
        "a failed pull answered the old image as a success",
        (
            "tests/component/engine/test_registry_moves.py"
            "::test_p_s3_a_failing_pull_never_answers_the_old_image"
        ),
    ),
    "P-S4": (
        "nothing was checked after a load; an empty answer was a success",
        "tests/component/engine/test_images.py::test_p_s4_a_load_that_brings_nothing_fails",
    ),
    "P-S5": (
        "a wrong platform was mended by pulling whatever the registry has",
        (
            "tests/component/loop/test_platforms.py"
            "::test_p_s5_an_image_of_another_platform_is_told_and_never_moved"
        ),
    ),
    "P-S6": (
        "amd64 became linux/arm64",
        "tests/unit/model/test_platform.py::test_p_s6_a_platform_has_one_normal_form",
    ),
    "P-S7": (
        "a shared tag was moved to another platform; ranges raced",
        (
            "tests/component/loop/test_platforms.py"
            "::test_p_s7_two_platforms_of_one_name_arrive_at_once_and_no_source_tag_moves"
        ),
    ),
    "P-S8": (
        "a tar of an untagged image restored no tag, of several tags only the first",
        (
            "tests/component/loop/test_routes.py"
            "::test_p_s8_a_tar_of_an_image_with_several_tags_or_none_ends_with_the_wanted_name"
        ),
    ),
    "P-S9": (
        "transport tag and original both stayed in the engine",
        "tests/component/loop/test_delivery.py::test_p_s9_no_transport_name_is_left_in_any_engine",
    ),
    "P-E1": (
        "every failure was False or an empty list: down, absent and empty alike",
        "tests/unit/registry/test_refusals.py::test_p_e1_each_refusal_has_its_reason",
    ),
    "P-E2": (
        "bad JSON escaped as the parser's error",
        "tests/component/registry/test_hostile.py::test_r15_p_e2_garbage_is_a_protocol_error",
    ),
    "P-E3": (
        "the registry was reported as the way of images that came otherwise",
        "tests/component/loop/test_routes.py::test_p_e3_the_route_is_told_as_it_was_for_each_image",
    ),
    "P-E4": (
        "a full disk in the range cost three whole transfers",
        "tests/component/loop/test_full_disks.py::test_p_e4_a_full_engine_disk_leads_to_no_tar",
    ),
    "P-E5": (
        "engine errors other than not-found escaped",
        (
            "tests/component/engine/test_hostile.py"
            "::test_p_e5_an_engine_that_answers_500_is_unreachable_in_its_own_words"
        ),
    ),
    "P-E6": (
        "of the two shapes of an error in a stream only one was read",
        "tests/unit/engine/test_events.py::test_p_e6_an_error_is_seen_in_both_shapes",
    ),
    "P-E7": (
        "an error in a progress callback failed the push",
        "tests/unit/engine/test_outcomes.py::test_p_e7_a_failing_observer_changes_no_outcome",
    ),
    "P-E8": (
        "a push deleted the image at its source: registry lost, nothing left",
        (
            "tests/component/loop/test_routes.py"
            "::test_p_e8_a_source_keeps_its_image_so_a_lost_registry_leaves_the_tar"
        ),
    ),
    "P-E9": (
        "the same broken registry was tried twice in one call",
        (
            "tests/unit/reconcile/test_controller.py"
            "::test_p_e9_a_failed_pull_is_told_and_not_tried_twice_at_a_time"
        ),
    ),
    "P-E10": (
        "the first bad image ended the deployment",
        (
            "tests/component/loop/test_delivery.py"
            "::test_p_e10_an_image_that_nobody_has_keeps_the_nine_others_from_nothing"
        ),
    ),
    "P-C1": (
        "blocking work stopped the event loop for minutes",
        (
            "tests/component/loop/test_crowd.py"
            "::test_p_c1_the_event_loop_is_never_away_while_a_large_image_moves"
        ),
    ),
    "P-C2": (
        "HTTP clients leaked, or belonged to a dead loop",
        "tests/component/registry/test_cancelling.py::test_p_c2_a_hundred_cycles_leave_no_socket",
    ),
    "P-C3": (
        "check, then push, without a lock: as many pushes as ranges",
        (
            "tests/component/loop/test_crowd.py"
            "::test_p_c3_ten_ranges_that_want_one_image_cost_one_upload"
        ),
    ),
    "P-C4": (
        "what ran was kept in memory only, so a restart lost it",
        (
            "tests/component/loop/test_changes.py"
            "::test_p_c4_an_operator_that_is_killed_in_mid_pull_ends_the_same"
        ),
    ),
    "P-C5": (
        "an old address may be another range's engine by now",
        (
            "tests/component/transfer/test_failures.py"
            "::test_p_c5_another_engine_at_the_address_is_sent_nothing"
        ),
    ),
    "P-C6": (
        "60 s killed large saves before their first byte",
        "tests/component/engine/test_hostile.py::test_p_c6_a_slow_first_byte_does_not_kill_a_save",
    ),
    "P-C7": (
        "to see whether an image exists the whole catalog was read, up to 100 entries",
        (
            "tests/component/registry/test_reading.py"
            "::test_p_c7_the_hundred_and_fiftieth_repository_is_found_like_the_first"
        ),
    ),
    "P-C8": (
        "progress was made of constants and went backwards",
        (
            "tests/unit/engine/test_recordings.py"
            "::test_p_c8_progress_of_a_pull_never_goes_back_and_ends_at_the_total"
        ),
    ),
    "P-X4": (
        "an import took every tag of a tar",
        (
            "tests/unit/plan/test_sources.py"
            "::test_p_x4_a_name_that_nobody_asked_for_stays_in_the_archive"
        ),
    ),
}
"""Id to what went wrong, and where it is tested."""
