"""Healthcare: one site's scores are too sure, and letters name doses that nobody prescribed."""

from __future__ import annotations

import functools
import math
import random
from typing import Any

from monitor.demo.scenario import Scenario, Signal, Turn, asked, chat, inferred, moments

COUNT = 1000
CLASSIFIER, MODEL = "tumour-classifier", "letter-assistant"
PATH = f"/v2/models/{CLASSIFIER}/infer"
FEATURES = ("mean texture", "mean smoothness", "mean symmetry")
"""The columns of the data set that a site measures; with more there is little to be unsure of."""
CHATS = 0.35
"""The part of requests that are for a letter; the others are classifications."""

SITES, SHARES = ("north", "harbour", "west"), (0.35, 0.45, 0.2)
SHARPER = 4.0
"""What the site's new software multiplies the logits of scores with, which changes no diagnosis."""
NOISE = 0.05
"""The standard deviation of what a site measures, as a part of it."""

TEMPLATES = ("discharge-letter", "appointment")
INVENTED, BEFORE = 0.65, 0.02
"""The part of discharge letters with a dose that stands nowhere, after the change and before it."""

DRUGS = ("amoxicillin", "metoprolol", "ramipril", "furosemide", "apixaban", "prednisolone")
NOTES = (
    "Ward notes. A patient of {age} years was admitted with chest pain and a pulse of {pulse} bpm. "
    "CRP was {crp} mg/L and creatinine {creatinine} mg/dL. {drug} {dose} mg was given {times} "
    "times a day, and {second} {amount} mg once in the morning. The X-ray showed no change. Blood "
    "pressure settled within {days} days. The patient walked on the ward, ate well, and wants to "
    "go home. The family doctor will look at the wound, and the clinic will see the patient again."
)
SYSTEM = "You write letters of a clinic from the notes of the ward.\n\n{notes}"
APPOINTMENTS = (
    "Please bring the referral and a list of your medication to the appointment.",
    "The clinic will see you again; a nurse will confirm the date with you.",
    "Please call the ward if the pain comes back before the appointment.",
)


def turns(seed: int, problem: bool) -> list[Turn]:
    """Return the traffic of a seed, with the planted `problem` or without."""
    chance = random.Random(f"healthcare {seed}")  # noqa: S311  a simulation, not a secret
    return [
        _letter(chance, at, is_changed=problem and is_after)
        if chance.random() < CHATS
        else _diagnosis(chance, at, is_sharp=problem)
        for at, is_after in moments(COUNT, chance)
    ]


def _diagnosis(chance: random.Random, at: float, *, is_sharp: bool) -> Turn:
    """A row of the data set as a site measures it, and what the classifier says."""
    (site,) = chance.choices(SITES, SHARES)
    rows, truths, weights, bias = _model()
    place = chance.randrange(len(rows))
    row = [value * (1 + NOISE * chance.gauss()) for value in rows[place]]
    logit = bias + sum(weight * value for weight, value in zip(weights, row, strict=True))
    if is_sharp and site == "harbour":
        logit *= SHARPER
    score = 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
    columns = {name: round(value, 4) for name, value in zip(FEATURES, row, strict=True)}
    said = {"label": "malignant" if logit > 0 else "benign", "malignant": round(score, 6)}
    answer = {"model_name": CLASSIFIER, "outputs": inferred(said)}
    truth = [{"label": "malignant" if truths[place] else "benign"}]
    seconds = 0.03 * chance.lognormvariate(0, 0.3)
    return Turn(at, PATH, {"x-site": site}, {"inputs": inferred(columns)}, answer, seconds, truth)


@functools.lru_cache(maxsize=1)
def _model() -> tuple[list[list[float]], list[bool], list[float], float]:
    """Rows of the data set, whether each is malignant, and weights and bias of the logit of that.

    The classifier is scikit-learn's logistic regression, trained on rows as sites measure them.
    """
    import numpy as np
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data: Any = load_breast_cancer()
    chosen = [list(data.feature_names).index(name) for name in FEATURES]
    rows, malignant = data.data[:, chosen], data.target == 0
    measured = np.concatenate(
        [
            rows * (1 + NOISE * np.random.default_rng(n).standard_normal(rows.shape))
            for n in range(8)
        ]
    )
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(measured, np.tile(malignant, 8))
    scaler, regression = model[0], model[1]
    weights = regression.coef_[0] / scaler.scale_
    bias = float(regression.intercept_[0] - weights @ scaler.mean_)
    return rows.tolist(), malignant.tolist(), weights.tolist(), bias


def _letter(chance: random.Random, at: float, *, is_changed: bool) -> Turn:
    """A chat about the notes of a patient."""
    (template,) = chance.choices(TEMPLATES, (0.65, 0.35))
    drug, second = chance.sample(DRUGS, 2)
    facts: dict[str, Any] = {
        "drug": drug.capitalize(), "second": second, "dose": chance.randrange(110, 990, 10),
        "amount": chance.randrange(12, 95), "times": chance.choice((2, 3)),
        "age": chance.randrange(20, 90), "pulse": chance.randrange(60, 130),
        "crp": chance.randrange(11, 190), "creatinine": round(chance.uniform(0.6, 1.9), 1),
        "days": chance.randrange(3, 9),
    }  # fmt: skip
    text = chance.choice(APPOINTMENTS)
    if template == "discharge-letter":
        dose, amount = facts["dose"], facts["amount"]
        if chance.random() < (INVENTED if is_changed else BEFORE):
            dose, amount = dose + chance.choice((35, 55, 85)), amount + chance.choice((7, 13, 19))
        text = (
            f"The patient of {facts['age']} years had {drug} {dose} mg, and goes home with "
            f"{second} {amount} mg once a day."
        )
    request = asked(MODEL, SYSTEM.format(notes=NOTES.format(**facts)), f"Write the {template}.")
    seconds = 0.4 * chance.lognormvariate(0, 0.3)
    return chat(at, {"x-template": template}, request, text, seconds)


SCENARIO = Scenario(
    name="healthcare",
    story=(
        "The site harbour has new software, which makes scores four times as sure and changes no "
        "diagnosis, so accuracy is what it was, overall and there. After a while discharge letters "
        "begin to name doses that stand nowhere in the notes of the ward."
    ),
    models=(
        "a real classifier (scikit-learn's logistic regression, on its breast cancer data), and a "
        "chat endpoint that is scripted: it fills notes into sentences"
    ),
    settings={
        "segments": {"site": {"header": "x-site"}, "template": {"header": "x-template"}},
        "outcomes": {
            "prediction": "outputs.label", "score": "outputs.malignant", "positive": "malignant",
        },
        "reference": {"learn": 60},
        "calibration": {"tolerance": 0.03},
        "checks": {"unsupported_number": {}},
    },
    turns=turns,
    signals=(
        Signal("ece", "site", "harbour", "its scores are surer than they are right"),
        Signal(
            "check.unsupported_number", "template", "discharge-letter",
            "doses that stand in no notes",
        ),
    ),
    accuracy="accuracy",
)  # fmt: skip
