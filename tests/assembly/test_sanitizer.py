"""Values at rest: what leaves a replay holds no personal data, and the rules for columns hold."""

from __future__ import annotations

import csv
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.assembly.sanitizer import Sanitizer
from monitor.cli import main
from monitor.settings.schema import Privacy as Section
from monitor.settings.schema import Settings
from monitor.types import Part, encode_record
from tests.commands.test_replay import record
from tests.privacy.test_records import CANARIES, SPELLINGS, TRACES, is_traced


def cells(outputs: frozenset[str] = frozenset(), **paths: str) -> Sanitizer:
    settings = Settings(privacy=Section(paths={k.replace("__", "."): v for k, v in paths.items()}))
    return Sanitizer(settings, outputs)


def test_what_goes_to_another_process_holds_no_password() -> None:
    """The rules for values go, and nothing else of the settings."""
    settings = Settings(
        redis="redis://:canary-secret@store/0", privacy=Section(paths={"inputs.member": "drop"})
    )
    sent = pickle.dumps(Sanitizer(settings))
    assert b"canary-secret" not in sent
    there = pickle.loads(sent)
    assert there.drops("member")
    assert pickle.loads(sent) is there  # for task after task of a thread, and no other
    with ThreadPoolExecutor(1) as other:
        assert other.submit(pickle.loads, sent).result() is not there
    assert not pickle.loads(pickle.dumps(Sanitizer(Settings()))).drops("member")


def test_a_value_is_known_by_its_kind_alone() -> None:
    """In any spelling; no token, no digest, nothing that a key made."""
    some = cells()
    for entity, canary in CANARIES.items():
        for spelling, spell in SPELLINGS.items():
            found = some.cell("note", f"of {spell(canary)} it")
            assert f"<{entity}>" in found, spelling
            assert f"<{entity}:" not in found, spelling
    assert some.cell("n", 4111111111111111.0) == some.cell("n", 4111111111111111) == "<CREDIT_CARD>"
    assert some.cell("phone", 12125550187) == "<PHONE_NUMBER>"
    assert some.cell("n", 1700000000123) == 1700000000123
    assert some.segment("region", "ada@example.org") == "<EMAIL_ADDRESS>"
    assert some.segment("region", "north") == "north"


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ("keep", "ada@example.org", "ada@example.org"),
        ("token(PERSON)", "Ada", "<PERSON>"),
        ("hash_whole", "Ada", "<REDACTED:policy>"),
        ("generalise(year)", "1984-05-06", "1984"),
        ("generalise(age)", 93, 90),
        ("generalise(prefix3)", "02139", "021*"),
        ("generalise(year)", "soon", None),
        ("scan", "mail ada@example.org", "mail <EMAIL_ADDRESS>"),
        ("scan_json", '{"ssn": "536-22-1234"}', '{"ssn":"<US_SSN>"}'),
    ],
)
def test_what_a_rule_says_of_a_column_is_done(rule: str, value: Any, expected: Any) -> None:
    """The rules of `privacy.paths`, under `inputs.COLUMN`."""
    assert cells(inputs__c=rule).cell("c", value) == expected
    assert cells(outputs__c=rule).cell("c", 7) == 7
    assert cells(frozenset("c"), outputs__c=rule).cell("c", value) == expected


def test_a_column_is_dropped_and_so_is_a_segment() -> None:
    """Nothing is looked at; the dimension has no value."""
    some = cells(**{"inputs__*_id": "drop", "segments__region": "drop"})
    assert some.drops("user_id")
    assert not some.drops("age")
    assert some.segment("region", "north") == "none"


def test_it_can_be_sent_to_another_process() -> None:
    """Which makes one that does the same."""
    sent = pickle.loads(pickle.dumps(cells(inputs__c="token(PERSON)")))
    assert sent.cell("c", "Ada") == "<PERSON>"


def test_nothing_raw_leaves_a_replay_of_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Categories, dimensions, names of columns, numbers, what a rule speaks of: in no report, no
    page, no profile."""
    canaries = list(CANARIES.values())

    def table(name: str, shift: int) -> str:
        path = tmp_path / name
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["plan", "who", canaries[0], "card", "born", "secret_id", "region"])
            for row in range(600):
                who = canaries[(row * shift) % len(canaries)]
                card = 4012888888881881 if row % 2 else 5500005555555559
                writer.writerow(
                    [row % 3 if shift == 1 else who, who, row % 5, card,
                     f"{1950 + row % 40 + 20 * shift}-05-0{row % 9 + 1}", f"hidden{row}", who]
                )  # fmt: skip
        return str(path)

    reference, current = table("reference.csv", 1), table("current.csv", 2)
    config = tmp_path / "monitor.yaml"
    config.write_text(
        "privacy: {paths: {'inputs.born': generalise(year), 'inputs.secret_*': drop}}\n"
    )
    out = {kind: tmp_path / f"out.{kind}" for kind in ("json", "html", "profile")}
    common = ["--by", "region", "--config", str(config)]
    assert main(["reference", "build", reference, "--out", str(out["profile"]), *common]) == 0
    assert main(["replay", current, "--reference", reference, "--json", str(out["json"]),
                 "--html", str(out["html"]), "--chunks", "2", *common]) == 0  # fmt: skip
    said = capsys.readouterr()
    for text in (said.out, said.err, *(path.read_text() for path in out.values())):
        for entity, trace in TRACES.items():
            assert not is_traced(text, trace), entity
        for piece in ("hidden1", "1970-05", "5500005555"):
            assert piece not in text
    found = json.loads(out["json"].read_text())
    names = {one["feature"] for one in found["features"]}
    assert names == {"plan", "who", "<EMAIL_ADDRESS>", "card", "born"}
    regions = {one["value"] for one in found["features"] if one["dimension"] == "region"}
    assert "<EMAIL_ADDRESS>" in regions
    assert all(one.startswith("<") for one in regions)


def test_records_of_others_are_cleaned_too(tmp_path: Path) -> None:
    """In a record's tensors, their names, segments and model; what is ours stays as it is."""
    canaries = list(CANARIES.values())
    path = tmp_path / "records.jsonl"
    with path.open("wb") as stream:
        for number in range(300):
            raw = canaries[number % len(canaries)]
            parts = [Part(name="who", datatype="BYTES", shape=[1], data=[raw]),
                     Part(name=canaries[0], datatype="INT64", shape=[1], data=[4012888888881881])]  # fmt: skip
            made = msgspec.structs.replace(
                record(number, shifted=False), inputs=parts, segments={"population": raw}, model=raw
            )
            stream.write(encode_record(made) + b"\n")
    out = tmp_path / "out.json"
    by = ["--by", "population", "--by", "model"]
    assert main(["replay", str(path), "--json", str(out), "--chunks", "2", *by]) == 0
    for entity, trace in TRACES.items():
        assert not is_traced(out.read_text(), trace), entity
    mine = "<EMAIL_ADDRESS:k1:abcdefghijklmnopabcdefgh>"
    assert cells().text(mine) == mine
