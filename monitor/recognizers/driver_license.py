"""Driving licence numbers (UK, and the EU's in letters and digits), beside the word."""

from __future__ import annotations

from monitor.finders import identifier

RECOGNIZER = identifier(
    name="driver_license",
    entity="DRIVER_LICENSE",
    words=r"(?:driving ?_?licen[cs]e|f.hrerschein|permis de conduire|rijbewijs|patente di guida|carn(?:et|.) de conducir)",
    form=r"(?i:[A-Z9]{5}\d{6}[A-Z9]{2}[A-Z0-9]{3})|[A-Z]{1,3}[ -]?\d{5,14}|[a-z]{1,3}\d{5,14}|\d{7,12}|(?i:[A-Z](?=[A-Z]*\d[A-Z]*\d)[A-Z0-9]{10})",
    reach=30,
    keys={"drivinglicence", "drivinglicense", "licencenumber"},
    examples=("driving licence «MORGA657054SM9IJ»", "Führerschein B «B072RRE2I55»"),
    counterexamples=("license MORGA657054SM9IJ, driving licence fees in 2024",),
)
