"""What the documents say is what the program does."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from monitor.assembly.build import check, checks, edge_cases, own_prices
from monitor.checks import CHECKS
from monitor.cli import main
from monitor.edge_cases import EDGE_CASES
from monitor.prices.own import rates
from monitor.recognizers import RECOGNIZERS
from monitor.settings import load as loading
from monitor.settings import validation
from monitor.settings.schema import Costs, Settings

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "deploy" / "README.md"]
    if path.name not in {"CHANGELOG.md", "METRICS.md"}
)


def blocks(name: str, language: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def load(text: str, tmp_path: Path) -> Settings:
    file = tmp_path / "monitor.yaml"
    file.write_text(text)
    return loading.load(str(file), {})


def test_the_configuration_that_is_documented_is_the_default(tmp_path: Path) -> None:
    """Every key is there, with the value it has without a file."""
    whole = blocks("CONFIGURATION.md", "yaml")[0]
    assert load(whole, tmp_path) == Settings()

    def paths(tree: dict[str, Any], at: str = "") -> set[str]:
        found = set()
        for key, value in tree.items():
            nested = isinstance(value, dict) and value
            found |= paths(value, f"{at}{key}.") if nested else {at + key}
        return found

    documented = paths(yaml.safe_load(whole))
    assert documented == paths(msgspec.to_builtins(Settings()))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_key_that_a_page_names_is_one(path: Path) -> None:
    """A key by the name of before sends a reader astray; decisions tell of their day."""
    known = set(validation.paths(Settings))
    sections = {key.partition(".")[0] for key in known if "." in key}
    text = "" if "decisions" in path.parts else path.read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_]+(?:\.[a-z0-9_]+)+)(?::[^`]*)?`", text)
    assert {key for key in named if key.partition(".")[0] in sections} <= known


def test_every_other_example_is_accepted(tmp_path: Path) -> None:
    """An example with a typo in it teaches the typo."""
    for block in blocks("CONFIGURATION.md", "yaml")[1:]:
        if block.startswith("# costs.yaml"):
            prices = tmp_path / "costs.yaml"
            prices.write_text(block)
            own = own_prices(Settings(costs=Costs(file=str(prices))))
            assert own is not None
            assert all(rates(one) for one in own.models.values())
        else:
            check(load(block, tmp_path))


def test_every_edge_case_is_documented_with_its_thresholds(tmp_path: Path) -> None:
    """In the order in which a Record lists them, as a setting that changes nothing."""
    block = next(one for one in blocks("CONFIGURATION.md", "yaml") if "polling_turns" in one)
    documented = yaml.safe_load(block)["edge_cases"]
    usual = {one.name: msgspec.structs.asdict(one.thresholds) for one in EDGE_CASES}
    assert list(documented.items()) == list(usual.items())
    assert edge_cases(load(block, tmp_path)) == edge_cases(Settings())


def test_every_check_is_documented_with_its_thresholds(tmp_path: Path) -> None:
    """In the order in which a Record has them: as settings that name all, and in the catalogue."""
    block = next(
        one
        for one in blocks("CONFIGURATION.md", "yaml")
        if "\n  truncated: {}" in one and one.startswith("checks:")
    )
    documented = yaml.safe_load(block)["checks"]
    usual = {one.name: msgspec.structs.asdict(one.tried or one.thresholds) for one in CHECKS}
    assert list(documented.items()) == list(usual.items())
    found = checks(load(block, tmp_path))
    assert [one.thresholds for one in found] == [one.tried or one.thresholds for one in CHECKS]
    catalogue = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    listed, _, costs = catalogue.partition("\n## Cost\n")
    for table in (listed, costs):
        assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(usual)


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOCUMENTS, ids=place)
def test_links_lead_somewhere(path: Path) -> None:
    """Files and headings that a document links to exist."""
    for target, heading in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", path.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            file = path.parent / target if target else path
            assert file.exists(), target
            if heading:
                titles = re.findall(r"^#+ (.+)", file.read_text(encoding="utf-8"), re.MULTILINE)
                anchors = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in titles}
                assert heading in anchors, f"{target}#{heading}"


def test_per_cent_is_spelled_in_one_way() -> None:
    """`5 %` in documents, alerts, pages, messages and benchmarks, as `readable.percent` has it: no share is formatted
    beside it."""
    said = [*DOCUMENTS, ROOT / "CHANGELOG.md", ROOT / "METRICS.md", *ROOT.glob("alerts/*.yml")]
    made = [
        one
        for room in ("monitor", "dashboards", "tests/bench")
        for kind in ("py", "html")
        for one in ROOT.glob(f"{room}/**/*.{kind}")
    ]
    for paths, wrong in (
        (said, r"\d%(?![0-9A-Fa-f]{2})|humanizePercentage }}"), (made, r":[+,]?(?:\.\d+)?%}"),
    ):  # fmt: skip
        for path in paths:
            found = re.search(f".{{0,40}}(?:{wrong})", path.read_text(encoding="utf-8"))
            assert found is None, (
                f"{place(path)}: {found[0]!r}; write `5 %`, or use `readable.percent`"
            )


def commands(path: Path) -> list[str]:
    """The `monitor` commands in a document's blocks, without `&`, pipes and comments."""
    text = path.read_text(encoding="utf-8")
    shown = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    text = "\n".join(shown).replace("\\\n", " ")
    return re.findall(
        r"^(?:\$ )?(?:\S*/)?(monitor [a-z]+\b(?:(?! 2?>)[^#|&\n;])*)", text, re.MULTILINE
    )


@pytest.mark.parametrize("path", DOCUMENTS, ids=place)
def test_commands_that_are_shown_can_be_given(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line takes the options of every `monitor` command in a document."""
    for command in commands(path):
        arguments = shlex.split(command)[1:]
        if "COMMAND" in arguments or "…" in command:
            continue
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--help"])
        assert (command, ended.value.code) == (command, 0)
        shown = capsys.readouterr().out
        for option in re.findall(r"(?<= )--[a-z-]+", command):
            assert f"{option} " in shown or f"{option}\n" in shown, command


def test_every_entity_that_is_looked_for_is_documented() -> None:
    """And no other; those that are off by default stand apart."""
    text = (ROOT / "CONFIGURATION.md").read_text(encoding="utf-8")
    usual, _, rest = text.partition("## What is looked for")[2].partition(
        "With `privacy.with` also"
    )
    names = [set(re.findall("`([A-Z]{2,}(?:_[A-Z]+)*)`", part)) for part in (usual, rest)]
    for which, default in zip(names, (True, False), strict=True):
        known = {each.entity for each in RECOGNIZERS if each.default is default}
        assert which == known, f"list {sorted(known ^ which)} under What is looked for"


def test_every_decision_is_in_the_index() -> None:
    """Once, under its title; numbers rise without a gap, and each says when, why and what. None
    stands in ARCHITECTURE.md, too."""
    house = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    dated = re.findall(r"^- \*\*.*\*\* \(\d{4}-\d\d.*", house, re.MULTILINE)
    assert not dated, "a decision is a file in docs/decisions and a line in its index"
    folder = ROOT / "docs" / "decisions"
    files = sorted(folder.glob("[0-9]*.md"))
    assert [int(one.name[:4]) for one in files] == [*range(1, len(files) + 1)]
    index = (folder / "README.md").read_text(encoding="utf-8")
    for one in files:
        text = one.read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        assert index.count(f"[{title}]({one.name})") == 1, one.name
        parts = re.findall(r"^(Date|## .+?)(?::|$)", text, re.MULTILINE)
        assert parts == ["Date", "## Context", "## Choice", "## What would change our mind"], (
            one.name
        )


def test_the_map_of_the_house_has_every_folder_and_every_file_of_the_ground_floor() -> None:
    """Under Floors, once; and the README is two screens long."""
    house = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms, _, ground = (
        house.partition("\n## Floors\n")[2]
        .partition("\n## ")[0]
        .partition("\n### The ground floor\n")
    )
    drawn = [
        name
        for row in re.findall(r"^\| (.*?`) \|", rooms, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    ]
    folders = {path.parent.name for path in (ROOT / "monitor").glob("*/__init__.py")}
    assert sorted(drawn) == sorted(folders)
    files = {path.stem for path in (ROOT / "monitor").glob("*.py") if path.stem[0] != "_"}
    told = re.findall(r"^\| (`.*?`) \|", ground, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(told))) == sorted(files)
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 132


def test_every_extra_is_listed_with_what_needs_it() -> None:
    """What can be installed on request, in deploy/README.md."""
    text = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(
        r"^\| `(\w+)` \|", text.partition("## What is installed on request")[2], re.MULTILINE
    )
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(listed) == sorted(declared["optional-dependencies"])
