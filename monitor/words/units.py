"""Units of measure, of money and of time, and scales, as people write them.

Measures are those of the SI (BIPM, The International System of Units, 9th edition) and of trade.
"""

from __future__ import annotations

SCALES = {
    word: scale
    for scale, words in (
        (1e3, "thousand k K tsd tausend mille mil"),
        (1e5, "lakh lakhs"),
        (1e7, "crore crores"),
        (1e6, "million millions mn mio mm M m millionen millones"),
        (1e9, "billion billions bn b B mrd milliarden milliards"),
        (1e12, "trillion tn T"),
    )
    for word in words.split()
}
"""A scale as it is written → by how much it multiplies."""

UNSURE = frozenset("k K mm M m b B T mil".split())
"""Scales where money stands before; else they may be units."""

CLOSE = frozenset("k K M B".split())
"""Those that are scales without money, too, where they follow a digit at once."""

MONEY = {
    word: code
    for code, words in (
        ("USD", "$ usd dollar dollars"), ("EUR", "€ eur euro euros"), ("GBP", "£ gbp"),
        ("JPY", "¥ jpy yen"), ("INR", "₹ inr rupees"), ("CHF", "chf"), ("CAD", "cad"), ("AUD", "aud"),
        ("SEK", "sek kr"), ("NOK", "nok"), ("DKK", "dkk"), ("PLN", "pln zł"), ("CNY", "cny"),
        ("CZK", "czk Kč"),
    )
    for word in words.split()
}  # fmt: skip
"""A sign, code or name of money → its code (ISO 4217)."""

CURRENCIES = frozenset(MONEY.values())

_KINDS: dict[str, tuple[tuple[float, str], ...]] = {
    "%": ((1.0, "% percent pct prozent pp percentage"), (0.01, "bp bps basis"), (0.1, "‰")),
    "GBP": ((0.01, "p pence"),),
    "EUR": ((0.01, "ct cent"),),
    "": ((1.0, "x X × times fold"), (0.01, "cents")),
    "g": (
        (1e-9, "ng nanograms"),
        (1e-6, "mcg µg μg ug micrograms microgram mikrogramm"),
        (1e-3, "mg milligrams milligram milligramm"),
        (1.0, "g grams gram gramm"),
        (1e3, "kg kilograms kilogram kilos kilo kilogramm"),
        (1e6, "t tonnes tonne tons tonnen"),
    ),
    "lb": ((1.0, "lb lbs pounds"),),
    "oz": ((1.0, "oz ounces ounce"),),
    "l": (
        (1e-6, "µl μl µL μL"),
        (1e-3, "ml mL millilitres milliliters milliliter"),
        (0.1, "dl dL"),
        (1.0, "l L litres liters litre liter"),
    ),
    "length": (
        (1e-9, "nm nanometres nanometers"),
        (1e-6, "µm μm micrometres micrometers microns"),
        (1e-3, "mm millimetres millimeters"),
        (1e-2, "cm centimetres centimeters zentimeter"),
        (1.0, "m metres meters metre meter"),
        (1e3, "km kilometres kilometers kilometer"),
    ),
    "mile": ((1.0, "mile miles mi"),),
    "ft": ((1.0, "ft feet foot"),),
    "in": ((1.0, "inch inches"),),
    "time": (
        (1e-3, "ms milliseconds millisecond"),
        (1.0, "s sec secs seconds second sekunden"),
        (60.0, "min mins minutes minute minuten"),
        (3600.0, "h hr hrs hours hour stunden stunde"),
        (86400.0, "day days tage tagen tag jours días"),
        (604800.0, "week weeks wochen woche semaines"),
    ),
    "month": (
        (1.0, "month months monate monaten monat mois"),
        (3.0, "quarters quartale"),
        (12.0, "year years yr yrs jahre jahren jahr ans"),
    ),
    "°": ((1.0, "° °C °F"),),
    "K": ((1.0, "kelvin"),),
    "W": ((1e-3, "mW"), (1.0, "W watts watt"), (1e3, "kW"), (1e6, "MW"), (1e9, "GW")),
    "Wh": ((1.0, "Wh"), (1e3, "kWh"), (1e6, "MWh"), (1e9, "GWh"), (1e12, "TWh")),
    "J": ((1e3, "kJ"), (1e6, "MJ")),
    "kcal": ((1.0, "kcal calories"),),
    "B": ((1.0, "bytes"), (1e3, "KB kB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB"), (2.0**30, "GiB")),
    "Hz": ((1.0, "Hz"), (1e3, "kHz"), (1e6, "MHz"), (1e9, "GHz")),
    "V": ((1e-3, "mV"), (1.0, "V"), (1e3, "kV")),
    "A": ((1e-3, "mA"),),
    "Ah": ((1e-3, "mAh"),),
    "Pa": ((1.0, "Pa"), (1e2, "hPa"), (1e3, "kPa"), (1e6, "MPa"), (1e5, "bar")),
    "mmHg": ((1.0, "mmHg"),),
    "mol": ((1e-9, "nmol"), (1e-6, "µmol μmol"), (1e-3, "mmol"), (1.0, "mol")),
    "mol/l": ((1e-9, "nM"), (1e-6, "µM μM"), (1e-3, "mM")),
    "IU": ((1.0, "IU units"),),
    "bpm": ((1.0, "bpm"),),
    "mEq": ((1.0, "mEq"),),
    "mph": ((1.0, "mph"),),
}

UNITS: dict[str, tuple[str, float]] = {
    **{word: (code, 1.0) for word, code in MONEY.items()},
    **{
        word: (kind, scale)
        for kind, scales in _KINDS.items()
        for scale, words in scales
        for word in words.split()
    },
}
"""A unit as it is written → what it measures, and how many of that one is."""

IN_ANY_CASE = {word.lower(): unit for word, unit in UNITS.items() if len(word) > 2 or word in MONEY}
"""Those of which the case does not matter."""
