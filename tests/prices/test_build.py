"""The bundled table is made from the pinned package."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.prices import build
from monitor.prices.rates import FEMTO


def test_the_files_are_those_that_the_package_makes(capsys: pytest.CaptureFixture[str]) -> None:
    """`make prices` was run after the package changed."""
    assert build.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_file_is_named(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing, changed and left over."""
    monkeypatch.setattr(build, "DATA", tmp_path)
    monkeypatch.setattr(build, "files", lambda: {"a.json": "1", "b.json": "2"})
    assert build.main([]) == 0
    assert build.main(["--check"]) == 0
    (build.DATA / "a.json").write_text("0")
    (build.DATA / "b.json").unlink()
    (build.DATA / "c.json").write_text("")
    assert build.main(["--check"]) == 1
    assert "run `make prices`: a.json, b.json, c.json" in capsys.readouterr().err
    assert build.main([]) == 0
    assert not (build.DATA / "c.json").exists()


@pytest.mark.parametrize(
    ("value", "per"), [("2.5", 10**6), ("0.18000000000000002", 10**6), ("35", 10**3)]
)
def test_a_price_is_a_whole_number_of_femtodollars(value: str, per: int) -> None:
    """Floats of others are rounded where nobody could tell."""
    exact = Decimal(value) * FEMTO / per
    assert abs(build._femto(Decimal(value), per) - exact) < 1


def test_a_price_that_is_too_fine_is_an_error() -> None:
    """Not rounded in silence."""
    with pytest.raises(ValueError, match="no whole number"):
        build._femto(Decimal("0.0000000015"), 10**6)
