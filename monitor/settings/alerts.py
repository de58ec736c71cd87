"""How bad each alert is here, and which rows of dashboards matter first."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from monitor.settings.kinds import Section

Alert = Literal[
    "MonitorAnalysisAbsent", "MonitorAnalysisLagging", "MonitorAnswersFailing",
    "MonitorArchiveBehind", "MonitorArchiveIncomplete", "MonitorArchiveScattered",
    "MonitorArchiveUnanchored", "MonitorBufferFilling", "MonitorCertificateExpiring",
    "MonitorClientsLeaving", "MonitorConnectionsOpaque", "MonitorConnectionsRefused",
    "MonitorCostSurge", "MonitorDrift", "MonitorDriftBlind", "MonitorEdgeCaseSurge",
    "MonitorErrorBudgetBurn", "MonitorExperimentAlarm", "MonitorExportFailing",
    "MonitorFeedbackUnmatched", "MonitorGone", "MonitorInjectionFailing", "MonitorInjectionRefused",
    "MonitorKeyConflict", "MonitorLatencyBudgetBurn", "MonitorLedgerUnbalanced",
    "MonitorLineageChange", "MonitorNotificationsFailing", "MonitorOutcomeAlarm",
    "MonitorOutcomesMissing", "MonitorOutcomesUnread", "MonitorOutputCheckSurge",
    "MonitorPartFailing", "MonitorPseudonymsCeased", "MonitorRateLimited", "MonitorRecordsLost",
    "MonitorRecordsMissed", "MonitorRecordsSetAside", "MonitorRedactions", "MonitorRestarts",
    "MonitorReviewUnread", "MonitorReviewersDisagree", "MonitorSegmentBudgetBurn",
    "MonitorSegmentErrors", "MonitorSegmentFirstTokenSlow", "MonitorSegmentOverflow",
    "MonitorSegmentSlow", "MonitorShardHot", "MonitorSidecarUnused", "MonitorSpansDropped",
    "MonitorSpoolFilling", "MonitorStoreDown", "MonitorStoreRewound", "MonitorTokensUnpriced",
    "MonitorTrafficGone", "MonitorUpstreamDown",
]  # fmt: skip
"""Alerts of an endpoint (`alerts/`): only it can say how bad one is."""
Said = Literal["critical", "warning", "info", "none"]
BoardRow = Literal[
    "Now", "Objectives", "Alerts and changes", "Traffic", "Tails by $dimension", "Edge cases",
    "Output checks", "Latency", "Tokens and cost", "Drift", "Judgements", "Quality",
    "Calibration and coverage", "Fairness", "Feedback", "Experiments", "Review", "Privacy",
    "Pipeline", "Sidecar",
]  # fmt: skip
"""Titles of rows of the dashboards."""


class Alerts(Section, frozen=True):
    """How bad alerts are at this endpoint, by name, whatever their rules say.

    The notifier tells them so (`alerting.conditions`), and nobody of `none`. `monitor files` writes
    rules that say so.
    """

    severities: dict[Alert, Said] = {}

    @property
    def by_name(self) -> dict[str, Said]:
        """The same for whoever knows alerts by any text."""
        return {str(name): severity for name, severity in self.severities.items()}


class Dashboards(Section, frozen=True):
    """Rows that people look at first; `monitor files` writes a dashboard of them, in this order."""

    rows: Annotated[list[BoardRow], msgspec.Meta(max_length=20)] = []
