"""What was observed at one moment, in its segments, and what is known of how it turned out.

Features and tables make Rows of Records and of somebody's rows; monitors count them.
"""

from __future__ import annotations

import msgspec

from monitor.types import Observation, Outcome


class Truth(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What is known of an exchange when its outcome is due: what the model said, and what was true.

    The label, events and attributes are what feedback had said by then; what it did not say is
    missing, which is neither a wrong answer nor a right one.
    """

    prediction: str | float | None = None
    """What the model said: a class by its name, a number of a regression, or a text."""
    score: float | dict[str, float] | None = None
    """The probability of the positive class, 0 to 1, or of each class."""
    label: str | float | None = None
    """What was true, of the kind of the prediction."""
    weight: float = 1.0
    """How many labels this one stands for: 1 / the probability with which it was asked for."""
    events: dict[str, float] = {}
    """What happened after it, by name: 1 or a value, such as an amount."""
    rating: float | None = None
    """What somebody gave it."""
    attributes: dict[str, str] = {}
    """Protected attributes of whom it was about. They stand in no Record."""
    interval: tuple[float, float] | None = None
    """The lower and upper end of a prediction interval."""
    choices: list[str] | None = None
    """The classes of a prediction set."""
    duration: float | None = None
    """Seconds that the exchange took."""
    outcome: Outcome | None = None
    """How the exchange ended."""
    cost: float | None = None
    """What it cost, in the one currency of the prices."""
    units: dict[str, int] = {}
    """Numbers of 64 bits of what experiments count by, such as a user, by their names."""
    correction: str | None = None
    """Where nobody has labelled it: the answer as it should have been, a text and no class."""
    id: str = ""
    """The Record's id, or the number of a table's row; this and the next only for slices."""
    input_tokens: int | None = None
    """Tokens of the request."""
    output_tokens: int | None = None
    """Tokens of the answer."""
    passed: bool | None = None
    """Whether its answer passed all checks; None where none applied."""
    is_due: bool = True
    """False where it says what was known before that, `horizon` seconds after the exchange."""
    horizon: float = 0.0
    """Then these seconds; 0 where nobody had said anything."""
    verdicts: tuple[bool, bool] | None = None
    """Whether the first two people who read it passed it; None where fewer did."""


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was observed at one moment, of a Record or of a row of somebody's table.

    `at` is Unix seconds; of a table without times it is the number of the row, from 0. `segments`
    are values by dimension, without the whole. What an endpoint refused is not `accepted`. `weight`
    is how many exchanges it stands for, more than 1 in a sample. `edge_cases` are the values of the
    dimension of that name. `truth` is None where nothing was to be found out.
    """

    at: float
    segments: dict[str, str]
    observations: list[Observation]
    accepted: bool = True
    weight: float = 1.0
    edge_cases: list[str] = []
    truth: Truth | None = None
