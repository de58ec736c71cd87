"""Events of KServe's logger become exchanges: two with one id, in whatever order they came."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.damage import Damage
from monitor.logged import Logged
from monitor.replay import files
from monitor.replay.recording import READING, _call
from monitor.sources import kserve_cloudevents as kserve

V1 = {"instances": [[1.0, 2.0]]}
V2 = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1.0, 2.0]}]}
OUT = {"outputs": [{"name": "y", "shape": [1], "datatype": "FP32", "data": [0.5]}]}


def event(id_: str, kind: str, data: Any, second: float = 0.0, **more: Any) -> dict[str, Any]:
    """An event in structured mode (CloudEvents 1.0, JSON format)."""
    return {
        "specversion": "1.0", "id": id_, "type": f"org.kubeflow.serving.inference.{kind}",
        "source": "http://localhost:9081/", "time": f"2026-01-01T00:00:{second:09.6f}Z",
        "inferenceservicename": "income", "namespace": "default", "component": "predictor",
        "endpoint": "canary", "datacontenttype": "application/json", "data": data, **more,
    }  # fmt: skip


def received(said: dict[str, Any]) -> dict[str, Any]:
    """The same as a sink writes down what came over HTTP in binary mode."""
    body = said.pop("data")
    said.pop("datacontenttype")
    headers = {f"Ce-{key.capitalize()}": value for key, value in said.items()}
    return {"headers": {"Content-Type": "application/json", **headers}, "body": json.dumps(body)}


def read(tmp_path: Path, *rows: Any) -> tuple[list[Logged], list[tuple[int, str]]]:
    path = tmp_path / "events.jsonl"
    path.write_text(
        "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    )
    ((_, source),) = files.find([str(path)])
    assert source.name == "kserve_cloudevents"
    assert source.exchanges is not None
    damage = Damage()
    found = list(source.exchanges([path], damage))
    return found, [(int(one.place.rpartition(":")[2]), one.error) for one in damage.listed()]


@pytest.mark.parametrize("form", [lambda said: said, received], ids=["structured", "binary"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_pair_is_one_exchange(tmp_path: Path, order: int, form: Any) -> None:
    """Its latency is the difference of the times; its protocol that of the body."""
    both = [event("a", "request", V2, 1.5), event("a", "response", OUT, 1.75)]
    other = [event("b", "request", V1, 1.6), event("b", "response", {"predictions": [1]}, 1.7)]
    rows = [form(one) for one in (both[0], *other, both[1])][::order]
    found, wrong = read(tmp_path, *rows)
    assert wrong == []
    by_id = {one.id: one for one in found}
    assert by_id["a"].started == 1767225601.5
    assert by_id["a"].duration == pytest.approx(0.25)
    assert (by_id["a"].status, by_id["a"].segments) == (
        200, {"component": "predictor", "endpoint": "canary"},
    )  # fmt: skip
    for id_, protocol in (("a", "kserve_v2"), ("b", "kserve_v1")):
        inference = READING.read(_call(by_id[id_], 0), {})
        assert (inference.protocol, inference.model) == (protocol, "income")
        assert inference.outputs


def test_of_a_request_without_an_answer_only_it_is_known(tmp_path: Path) -> None:
    """KServe sends no response but of 200; a newer one names the status."""
    found, wrong = read(
        tmp_path,
        event("alone", "request", V1),
        event("bad", "request", V1, 1),
        event("bad", "response", {"error": "no"}, 2, statuscode="503"),
        event("lost", "response", OUT),
    )
    assert wrong == [(4, "is a response without its request")]
    ended = {one.id: (one.status, one.ended and one.ended.value) for one in found}
    assert ended == {"alone": (None, None), "bad": (503, "server_error")}


def test_what_cannot_be_read_costs_itself_alone(tmp_path: Path) -> None:
    """Other events, a second one of a kind, broken data, no JSON."""
    found, wrong = read(
        tmp_path,
        event("a", "request", None, data_base64=base64.b64encode(json.dumps(V1).encode()).decode()),
        "{",
        {"specversion": "1.0", "type": "other", "id": "1"},
        event("a", "request", V1),
        event("c", "request", V1, data_base64="%"),
        event("a", "response", {"predictions": [1]}, 1),
    )
    assert [(one.id, one.request) for one in found] == [("a", json.dumps(V1).encode())]
    assert wrong == [
        (2, "not JSON"), (3, "is no event of a request or a response"), (4, "comes twice"),
        (5, "data_base64: is not base64"),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "most"), [("WAITING", 10), ("WAITING_BYTES", 1500)])
def test_waiting_has_a_bound(
    tmp_path: Path, name: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In number and in bytes: the oldest is told alone, and its answer comes too late."""
    monkeypatch.setattr(kserve, name, most)
    rows = [event(str(number), "request", V2) for number in range(100)]
    rows += [event(str(number), "response", OUT, 1) for number in (99, 0)]
    found, wrong = read(tmp_path, *rows)
    assert len(found) == 100
    assert [one.id for one in found if one.status] == ["99"]
    assert wrong == [(102, "is a response without its request")]


JSON = st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "data", "body", "headers", "time", "inputs"]), one, max_size=4))  # fmt: skip


@given(st.lists(st.dictionaries(st.sampled_from(["id", "type", "data", "body", "headers", "data_base64", "time"]), JSON | st.sampled_from([kserve.REQUEST, kserve.RESPONSE])), max_size=5))  # fmt: skip
def test_any_objects_are_exchanges_or_unreadable(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    """And no exception comes."""
    path = tmp_path_factory.getbasetemp() / "any-events.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    damage = Damage()
    found = list(kserve.exchanges([path], damage))
    assert len(found) + sum(one.count for one in damage.listed()) <= len(rows)
