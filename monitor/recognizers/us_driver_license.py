"""US driver's licence numbers (a letter or three and digits, by state), beside the word."""

from __future__ import annotations

from monitor.finders import identifier

RECOGNIZER = identifier(
    name="us_driver_license",
    entity="US_DRIVER_LICENSE",
    words=r"(?:driver.{0,2} ?_?licen[cs]e|\bdl ?(?:no|#|number|:))",
    form=r"[A-Z]{1,3}[ -]?\d{5,14}|[a-z]{1,3}\d{5,14}|(?i:[A-Z])\d{3}(?:[- ]\d{3,4}){2,3}|\d{7,12}",
    reach=30,
    keys={"driverslicense", "driverlicense", "dlnumber"},
    examples=(
        "driver's license «D1234567», drivers license no. «123456789»",
        "DL# «F123-4567-8901»",
    ),
    counterexamples=(
        "license D1234567, the driver took 12 packages",
        "MIT license 2.0, driver license expired 2024-01-15",
    ),
)
