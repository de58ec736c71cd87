"""Passport numbers (ICAO 9303: six to nine letters and digits), beside the word."""

from __future__ import annotations

from monitor.finders import identifier

RECOGNIZER = identifier(
    name="passport",
    entity="PASSPORT",
    words=r"(?:pass?port|reisepass|passeport|pasaporte|passaporto|paspoort|paszport)",
    form=r"(?i:[A-Z]{0,2}\d{6,9}|(?-i:[A-Z]{1,2}) \d{6,9}|[A-Z]\d{2}[A-Z]{2}\d{5}|\d{2}[A-Z]{2}\d{5}|[CFGHJK](?=[A-Z]*\d[A-Z]*\d)[0-9CFGHJKLMNPRTVWXYZ]{8})",
    reach=30,
    keys={"passport", "passportnumber", "passportno"},
    examples=("Reisepass «C01X00T47», passeport n° «12AB34567», passaporto «YA1234567»",),
    counterexamples=(
        "number 536228726, passport office opens at 10",
        "the passport costs 130.00 euros",
    ),
)
