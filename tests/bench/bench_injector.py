"""`make bench`: what an admission costs, at a real process over TLS; to INJECTOR.md.

`--count N` (2000) reviews in each of `--rounds N` (3). The client is this process, with one connection that stays
open, as an API server has it. Wall time is the client's, from the first byte sent to the last received; CPU time is
the injector's, of the kernel's clock ticks over a whole round.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import http.client
import ipaddress
import json
import os
import platform
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import monitor
from monitor.inject.decision import Defaults, decide
from tests.inject import golden
from tests.inject.test_admission import review

OUT = Path(__file__).with_name("INJECTOR.md")
TICK = os.sysconf("SC_CLK_TCK")


def large() -> dict[str, Any]:
    """A Pod as large as they come in practice: 20 containers with 50 variables each, 100 KB."""
    pod = golden.pod("kserve-raw")
    env = [{"name": f"VARIABLE_{number}", "value": "x" * 60} for number in range(50)]
    pod["spec"]["containers"] += [
        {"name": f"c{number}", "image": "registry.example/c:1", "env": env} for number in range(20)
    ]
    return pod


PODS = {
    "named port": lambda: golden.pod("named-port"),
    "KServe, moved by its argument": lambda: golden.pod("kserve-raw"),
    "not asked for": lambda: golden.pod("no-annotations"),
    "a Pod of 100 KB": large,
}


def alone(name: str, count: int) -> float:
    """CPU seconds of a decision without HTTP."""
    pod = PODS[name]()
    began = time.process_time()
    for _ in range(count):
        decide(pod, "models", Defaults())
    return (time.process_time() - began) / count


def certificate(folder: Path) -> tuple[str, str]:
    """Files of a certificate for 127.0.0.1 and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.datetime.now(datetime.UTC)
    host = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / "tls.crt", folder / "tls.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    none = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, none))
    return str(files[0]), str(files[1])


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def measured(count: int, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of each Pod: `wall` of every admission, `cpu` of each round, `alone` of each round."""
    found: dict[str, dict[str, list[float]]] = {
        name: {"wall": [], "cpu": [], "alone": []} for name in PODS
    }
    with tempfile.TemporaryDirectory() as folder:
        cert, key = certificate(Path(folder))
        settings = Path(folder) / "injector.yaml"
        settings.write_text(f"tls: {{cert: {cert}, key: {key}}}\n", encoding="utf-8")
        command = [
            sys.executable, "-m", "monitor", "injector", "--config", str(settings), "--listen", "127.0.0.1:0",
            "--admin", "127.0.0.1:0", "--data", folder,
        ]  # fmt: skip
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            host, _, port = _started(Path(folder) / "run.json")["listen"].rpartition(":")
            context = ssl.create_default_context(cafile=cert)
            connection = http.client.HTTPSConnection(host, int(port), context=context)
            for _ in range(rounds):
                for name, make in PODS.items():
                    body = review(make())
                    before = cpu(process.pid)
                    for _ in range(count):
                        began = time.perf_counter()
                        connection.request("POST", "/mutate", body)
                        assert b'"allowed":true' in connection.getresponse().read()
                        found[name]["wall"].append(time.perf_counter() - began)
                    found[name]["cpu"].append((cpu(process.pid) - before) / count)
                    found[name]["alone"].append(alone(name, count // 4))
        finally:
            process.terminate()
            process.wait()
    return found


def _started(run: Path) -> dict[str, Any]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):
            return json.loads(run.read_text(encoding="utf-8"))
        time.sleep(0.02)
    raise SystemExit("the injector did not start")


def page(found: dict[str, dict[str, list[float]]], count: int, rounds: int) -> str:
    """What is written about it."""
    rows = []
    for name, one in found.items():
        wall = sorted(one["wall"])
        each = [statistics.median(wall), wall[int(0.99 * len(wall))], wall[-1]]
        cpus = [statistics.median(one["cpu"]), min(one["cpu"]), max(one["cpu"])]
        numbers = [*each, *cpus, statistics.median(one["alone"])]
        told = [f"{1e3 * number:.2f}" for number in numbers]
        rows.append(
            f"| {name} | {told[0]} | {told[1]} | {told[2]} | {told[3]} ({told[4]} to {told[5]}) | {told[6]} |"
        )
    table = "\n".join(rows)
    return f"""# The injector

Written by `tests/bench/bench_injector.py` on {datetime.datetime.now(datetime.UTC).date()}: monitor {monitor.__version__}, Python
{platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.

{count:,} admissions of each Pod in each of {rounds} rounds, over one TLS connection that stays open. Milliseconds of one:

| Pod | wall, median | p99 | most | CPU of the injector, median (least to most) | of that the decision |
|---|---|---|---|---|---|
{table}

The bound is 5 ms at the 99th percentile. The API server waits 2 s at most.
"""


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    text = page(measured(options.count, options.rounds), options.count, options.rounds)
    OUT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
