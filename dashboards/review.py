"""Whom do people have to read, what did they say, and do they agree?"""

from dashboards.panels import Query, Row, graph, number, of, rate

_READERS = 'measure=~"reader_agreement.*"'
_REVIEWS = "monitor_reviews_total"
_WAITING = of("monitor_review_queue", 'state="waiting"')

ROW = Row(
    "Review",
    (
        number(
            "Waiting for review",
            "Exchanges in the review queue that nobody has taken. Where it only grows, lower "
            "review.rate or ask more people.", "short",
            Query(f"sum ({_WAITING})"),
        ),
        graph(
            "Answers of reviewers",
            "Answers per second by result. A skipped one is a missing verdict, not a good one.",
            "short",
            Query(rate(_REVIEWS, "result"), "{{result}}"),
        ),
        graph(
            "Review queue",
            "Items that wait, and those that somebody reads.", "short",
            Query(f"sum by (state) ({of('monitor_review_queue')})", "{{state}}"),
        ),
        graph(
            "Items that left unanswered",
            "Items per second that were taken out because there were too many (thinned), or whose "
            "record the stream had deleted (expired).", "short",
            Query(rate("monitor_review_items_dropped_total", "reason"), "{{reason}}"),
        ),
        graph(
            "Agreement of two readers",
            "Share of items on which the first two verdicts are equal, and Gwet's AC1. Where "
            "nearly everything is good both are high by chance; `monitor review stats` shows "
            "agreement on bad ones alone.", "percentunit",
            Query(f"max by (measure) ({of('monitor_review_agreement_ratio')})", "{{measure}}"),
        ),
        graph(
            "Agreement of readers by evidence",
            "Agreement of the first two readers, in all and about bad and good answers, of "
            "exchanges whose outcome is due. Where evidence says that it fell, "
            "MonitorReviewersDisagree fires.", "percentunit",
            Query("max by (measure) (" + of("monitor_quality", _READERS) + ")", "{{measure}}"),
        ),
    ),
)  # fmt: skip
