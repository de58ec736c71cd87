"""Swiss social security numbers (AHV/AVS: 756, thirteen digits, the check of EAN-13)."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier

RECOGNIZER = identifier(
    name="ch_ahv",
    entity="CH_AHV",
    words=r"(?:\bahv|\bavs\b|sozialversicherungsn)",
    form=grouped(3, 4, 4, 2),
    valid=lambda digits: digits[:3] == "756" and weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0,
    alone=(r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}", r"756\.\d{4}\.\d{4}\.\d\d"),
    keys={"ahv", "ahvnummer", "avs"},
    examples=("«756.9217.0769.85» versichert", "AHV-Nr. «7569217076985»"),
    counterexamples=("756.9217.0769.86", "EAN 7569217076985"),
)
