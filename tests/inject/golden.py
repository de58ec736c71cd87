"""Pods and what is to become of them: `pods/NAME.yaml` and, beside it, `pods/NAME.json`.

`python -m tests.inject.golden` writes what the code decides now; read the difference before you
commit it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from monitor.inject import container
from monitor.inject.decision import Decision, Defaults, decide
from monitor.inject.wishes import STATUS

PODS = Path(__file__).parent / "pods"
NAMES = sorted(path.stem for path in PODS.glob("*.yaml"))


def pod(name: str) -> dict[str, Any]:
    """The Pod as it comes."""
    return yaml.safe_load((PODS / f"{name}.yaml").read_text(encoding="utf-8"))


def decided(name: str) -> Decision:
    """What becomes of it."""
    given = pod(name)
    return decide(given, given["metadata"]["namespace"], Defaults())


def expected(name: str) -> dict[str, Any]:
    """What is to become of it."""
    return json.loads((PODS / f"{name}.json").read_text(encoding="utf-8"))


def written(decision: Decision) -> dict[str, Any]:
    """A decision as it is kept: of our container and volumes only what no other Pod has."""
    patch = [{**one, "value": _shown(one["value"])} for one in decision.patch]
    told = {"result": decision.result, "reason": decision.reason, "why": decision.why}
    return {**told, "warnings": list(decision.warnings), "patch": patch}


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(one) for one in value]
    if isinstance(value, dict) and value.get("name") == container.NAME:
        usual = container.sidecar(container.Options())
        more = {key: each for key, each in value.items() if usual.get(key) != each}
        if "env" in more:
            more["env"] = [one for one in more["env"] if one not in usual["env"]]
        return {"our container": more, "without": sorted(usual.keys() - value.keys())}
    if isinstance(value, dict) and str(value.get("name")).startswith(f"{container.NAME}-"):
        usual = container.volumes(container.Options())
        return value["name"] if value in usual else value
    if isinstance(value, dict) and STATUS in value:
        return {**value, STATUS: _shown(value[STATUS])}
    if isinstance(value, str) and value.startswith("{"):
        status = json.loads(value)
        return {key: one for key, one in status.items() if key not in {"version", "template"}}
    return value


def main() -> None:
    """Write all anew."""
    for name in NAMES:
        text = json.dumps(written(decided(name)), indent=1, ensure_ascii=False)
        (PODS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
