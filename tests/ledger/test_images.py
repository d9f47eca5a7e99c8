"""G-2, power losses: any part of what was not synced may be missing, and what was acknowledged is there.

`python -m tests.ledger images --count 1000000` tries more.
"""

from __future__ import annotations

from tests.ledger.power import try_images

IMAGES = 5_000


def test_no_image_of_a_power_loss_has_lost_what_was_acknowledged_or_half_a_block() -> None:
    for seed in (1, 2):
        count = try_images(IMAGES, seed)

        assert count.bad == ()
        assert count.second > IMAGES / 10, "images of a second loss, during recovery, must be among them"
        assert count.moments > 10


def test_a_ledger_that_does_not_wait_for_its_disk_loses_blocks_and_these_images_show_it() -> None:
    assert "were acknowledged" in try_images(300, 3, synchronous="NORMAL").bad[0]
