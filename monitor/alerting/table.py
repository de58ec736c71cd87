"""Every alert that the notifier knows, with the names and sentences of the rules in `alerts/`.

Who hears by Prometheus and who hears by the notifier look up the same section of the runbook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.notifications import Severity

WATCHDOG = "Watchdog"
"""The alert of a heartbeat."""
TEST = "MonitorTest"
"""The alert of `monitor notify test`."""


@dataclass(frozen=True)
class AlertKind:
    """An alert: its name, and by severity a sentence that says what is noticed.

    One with `is_news` is told once, and neither again nor to be over.
    It fires once its condition has held for `after` seconds, and is over once it has not held for
    `keep` seconds. Drift and outcomes are judged by evidence that may be looked at at every moment,
    so they need to wait for nothing.
    """

    name: str
    summaries: Mapping[Severity, str]
    after: float = 0.0
    keep: float = 0.0
    is_news: bool = False

    @property
    def anchor(self) -> str:
        """Its section of RUNBOOK.md."""
        return self.name.lower()


ALERTS: tuple[AlertKind, ...] = (
    AlertKind("MonitorDrift", {
        "critical": "Large drift: what users send or what the model answers has changed.",
        "warning": "Small but significant drift: what users send or what the model answers has "
        "changed.",
    }),
    AlertKind("MonitorOutcomeAlarm", {
        "critical": "The model's answers are worse than they were, by their labels.",
        "warning": "What became of predictions is not as it was or as it should be.",
    }),
    AlertKind("MonitorOutcomesMissing", {
        "warning": "Labels do not come; nobody can say whether the model's answers are right.",
    }),
    AlertKind("MonitorReviewersDisagree", {
        "warning": "People who review the same answers agree less than they did.",
    }),
    AlertKind("MonitorExperimentAlarm", {
        "warning": "An arm of an experiment is worse than its control, or its exchanges do not "
        "come as declared.",
        "info": "An experiment has a verdict.",
    }),
    AlertKind("MonitorLineageChange", {
        "info": "What serves has changed: a version of the model, of its configuration or of "
        "monitor.",
    }, is_news=True),
    AlertKind("MonitorErrorBudgetBurn", {
        "critical": "Users get errors: the availability budget is being spent too fast.",
    }, keep=60.0),
    AlertKind("MonitorLatencyBudgetBurn", {
        "critical": "Users wait too long: a latency budget is being spent too fast.",
    }, keep=60.0),
    AlertKind("MonitorUpstreamDown", {
        "critical": "Every user gets an error: the model endpoint answers nobody.",
    }, after=15.0, keep=60.0),
    AlertKind("MonitorRecordsLost", {
        "critical": "Much of the traffic leaves no record; users are served.",
        "warning": "Some exchanges left no record; users are served.",
    }),
    AlertKind("MonitorStoreDown", {
        "warning": "A recorder cannot reach the store; records wait in the disk spool, users are "
        "served.",
    }, after=30.0, keep=60.0),
    AlertKind("MonitorSpoolFilling", {
        "critical": "The disk spool is nearly full and records will be lost; users are served.",
    }, keep=60.0),
    AlertKind("MonitorBufferFilling", {
        "warning": "The recorder does not keep up and records will be lost; users are served.",
    }, after=30.0, keep=60.0),
    AlertKind("MonitorConnectionsRefused", {
        "critical": "Users are refused: the proxy's connection limit is reached.",
    }),
    AlertKind("MonitorCertificateExpiring", {
        "critical": "A certificate has expired: connections are refused.",
        "warning": "A certificate expires soon.",
    }),
    AlertKind("MonitorRestarts", {"warning": "A process of monitor crashes again and again."}),
    AlertKind("MonitorAnalysisLagging", {
        "warning": "Drift is seen late: the analyzer is behind.",
    }, after=60.0, keep=60.0),
    AlertKind("MonitorAnalysisAbsent", {
        "warning": "Drift goes unseen: no analyzer reads the records.",
    }, after=60.0),
    AlertKind("MonitorRecordsSetAside", {
        "warning": "The analyzer passed over records; drift findings lack them.",
    }),
    AlertKind("MonitorRecordsMissed", {
        "warning": "The stream deleted records before they were analyzed; drift findings lack "
        "them.",
    }),
    AlertKind("MonitorArchiveBehind", {
        "warning": "Records are not archived; they are lost once the stream deletes them.",
    }, after=60.0),
    AlertKind("MonitorArchiveUnanchored", {
        "warning": "The end of the archive is kept nowhere else; if it is cut off now, nobody can "
        "tell.",
    }, after=60.0),
    AlertKind("MonitorPartFailing", {
        "warning": "A part of monitor, or one of your own, fails on some exchanges.",
    }),
    AlertKind("MonitorRedactions", {
        "warning": "Many texts were kept out of the records because they could not be made safe.",
        "info": "A text was kept out of the records because it could not be made safe.",
    }),
    AlertKind("MonitorKeyConflict", {
        "warning": "Replicas have different keys under one key id; their pseudonyms do not join.",
    }),
)  # fmt: skip

BY_NAME = {one.name: one for one in ALERTS}
