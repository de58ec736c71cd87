"""`monitor files`, and the wheel that carries what it writes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import yaml

from monitor.cli import main
from monitor.commands.files import CARRIED, CONSOLE, GRAFANA, INSIDE, RUNBOOK, apart, carried

ROOT = Path(__file__).parents[2]


def written(directory: Path) -> dict[str, bytes]:
    return {
        str(one.relative_to(directory)): one.read_bytes()
        for one in directory.rglob("*")
        if one.is_file()
    }


HERE = {str(one.relative_to(ROOT)): one.read_bytes() for one in carried(ROOT)}
FOLDERS = {str(folder) for name in HERE for folder in Path(name).parents}
WRITTEN = {
    name: apart(Path(name), text.decode(), {*HERE, *FOLDERS}).encode()
    if name.endswith(".md")
    else text
    for name, text in HERE.items()
}
"""What is written where nothing was told: documents without links to what is not beside them."""


def test_all_that_the_manifests_need_is_carried() -> None:
    """Every glob finds something; what compose, rules and documents name is among it."""
    assert all(any(ROOT.glob(glob)) for glob in CARRIED)
    compose = HERE["deploy/compose.yaml"].decode()
    for place in re.findall(r"- \"?(\.{1,2}/[^:\"]+):", compose):
        named = os.path.normpath(f"deploy/{place}")
        assert any(one == named or one.startswith(named + "/") for one in HERE), named
    for rules in (text.decode() for name, text in HERE.items() if name.endswith(".rules.yml")):
        assert {place.split("#")[0] for place in re.findall("runbook_url: (.+)", rules)} <= {
            RUNBOOK
        }
    assert RUNBOOK.rpartition("/")[2] in HERE


def test_links_lead_where_one_says(tmp_path: Path) -> None:
    """In rules and dashboards, and nowhere else; a second run finds its own files as they are."""
    there = {
        "--runbook": "https://wiki.example.org/on-call/monitor",
        "--grafana": "https://grafana.example.org/team/",
        "--console": "https://monitor.internal/console/",
    }
    options = [str(tmp_path), *(one for pair in there.items() for one in pair)]
    assert main(["files", *options]) == 0
    assert main(["files", *options]) == 0
    found = written(tmp_path)
    links = b"".join(found[name] for name in found if name.startswith(("alerts/", "dashboards/")))
    for place in (RUNBOOK, GRAFANA, CONSOLE):
        assert place.encode() not in links
    rules = found["alerts/traffic.rules.yml"].decode()
    assert "runbook_url: https://wiki.example.org/on-call/monitor#monitorupstreamdown" in rules
    assert '"https://grafana.example.org/team/d/monitor-overview?var-endpoint=' in rules
    board = json.loads(found["dashboards/overview.json"])
    assert {one["url"] for one in board["links"]} > {there["--runbook"], there["--console"]}
    others = {name for name in HERE if not name.startswith(("alerts/", "dashboards/"))}
    assert {name: found[name] for name in others} == {name: WRITTEN[name] for name in others}
    for name, text in found.items():
        if name.startswith("alerts/"):
            assert yaml.safe_load(text)


def test_no_document_links_to_what_was_not_written(tmp_path: Path) -> None:
    """What is only in the repository is named as such; all other links are as they were."""
    assert main(["files", str(tmp_path)]) == 0
    links = 0
    for path in tmp_path.rglob("*.md"):
        for link in re.findall(r"\]\(((?![a-z]+:|#)[^)\s]+)\)", path.read_text()):
            assert (path.parent / link.partition("#")[0]).exists(), (path, link)
            links += 1
    assert links > 200
    assert "(`tests/bench/WHOLE.md` in the repository)" in (tmp_path / "docs/sizing.md").read_text()


@pytest.mark.parametrize(
    "place",
    ["", "wiki", "ftp://w/x", "https://", 'https://w/"x', "https://w/x y", "https://w/{{x}}", "https://w/x\n",
     "https://w/\u202e", "https://w/x#y", "javascript:alert(1)", "https://w/'", "https://w/$x"],
)  # fmt: skip
def test_a_place_that_is_none_is_one_line(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written, and nothing can break out of YAML, JSON or a template."""
    assert main(["files", str(tmp_path / "new"), f"--runbook={place}"]) == 2
    shown = capsys.readouterr().err
    assert len(shown.splitlines()) == 1
    assert "--runbook" in shown
    assert not (tmp_path / "new").exists()


def test_the_files_are_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody has changed is kept and named; --force takes it back."""
    there = tmp_path / "new" / "place"
    assert main(["files", str(there)]) == 0
    assert written(there) == WRITTEN
    assert len(capsys.readouterr().out.splitlines()) == len(HERE)
    (there / "RUNBOOK.md").write_text("ours")
    assert main(["files", str(there)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"{there}/RUNBOOK.md: left as it is, since it differs" in shown.err
    assert (there / "RUNBOOK.md").read_text() == "ours"
    assert main(["files", str(there), "--force"]) == 0
    assert written(there) == WRITTEN


def test_a_directory_that_cannot_be_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the file in the way."""
    (tmp_path / "file").write_text("")
    assert main(["files", str(tmp_path / "file")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_wheel_carries_them(tmp_path: Path) -> None:
    """Built from the sources alone, unpacked elsewhere, it writes the same files; its README has
    no link that leads nowhere."""
    source = tmp_path / "source"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, tracked):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    environment = {**os.environ, "PYTHONPATH": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run(
        [
            sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
            "--wheel-dir", str(tmp_path), str(source),
        ],
        check=True, env=environment,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        text = archive.read(metadata).decode()
    assert "Project-URL: Repository, https://" in text
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert links
    assert all(link.startswith("https://") for link in links)
    assert written(site / "monitor" / INSIDE) == HERE
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "files", str(tmp_path / "out")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**environment, "PYTHONPATH": f"{site}:{sysconfig.get_path('purelib')}"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert written(tmp_path / "out") == WRITTEN
