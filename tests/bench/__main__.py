"""`make bench`: every benchmark that needs nothing else and ends soon, one after the other, on a quiet machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
APART = {"bench_drift.py", "bench_embed.py", "bench_outcomes.py"}
"""Drift takes an hour or so (`make bench-drift`), outcomes minutes (`make bench-outcomes`), embeddings a model."""


def main() -> int:
    """Run all; the exit code says how many failed."""
    failed = 0
    for script in sorted(HERE.glob("bench_*.py")):
        if script.name not in APART:
            print(f"== {script.name}", flush=True)
            failed += subprocess.run([sys.executable, str(script)], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
