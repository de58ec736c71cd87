"""What a log says of how an exchange ended."""

from __future__ import annotations

import pytest

from monitor.logged import Logged, outcome_of
from monitor.proxy.outcomes import of_status
from monitor.types import Outcome


@pytest.mark.parametrize("status", [200, 204, 302, 400, 404, 429, 499, 500, 503, 599])
def test_a_status_means_in_a_log_what_it_means_on_the_wire(status: int) -> None:
    """The proxy's own reading is the measure."""
    assert outcome_of(status) is of_status(status)


def test_what_the_log_says_comes_before_its_status() -> None:
    """Of neither nothing is known."""
    assert Logged(status=200, outcome=Outcome.CLIENT_GONE).ended is Outcome.CLIENT_GONE
    assert Logged(status=429).ended is Outcome.RATE_LIMITED
    assert Logged().ended is None
