"""Each module has its tests where a reader looks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "monitor").rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT / "monitor"))


ELSEWHERE = {
    "analysis/quality/watched.py": "analysis/test_alike.py",
    "streams/clients.py": "streams/test_cluster.py",
    "streams/topology.py": "streams/test_sentinel.py",
    "metrics.py": "dashboards/test_dashboard.py",
    "otlp/http.py": "exporters/test_spans.py",
    "otlp/transport.py": "otlp/test_grpc.py",
    "otlp/variables.py": "exporters/test_spans.py",
    "privacy/rulings.py": "privacy/test_policies.py",
    "settings/addresses.py": "settings/test_load.py",
    "supervision/child.py": "supervision/test_answers.py",
    "supervision/listeners.py": "assembly/test_check.py",
    "supervision/unix_server.py": "supervision/test_control.py",
    "inject/pods.py": "inject/test_decision.py",
    "inject/reasons.py": "inject/test_decision.py",
    "inject/wishes.py": "inject/test_decision.py",
    "inject/capture.py": "inject/test_decision.py",
    "archive/orphans.py": "archive/test_verification.py",
    "analyzer/shard_watch.py": "app/test_many_analyzers.py",
    "streams/notes.py": "templates/test_shared.py",
    "erasure/run.py": "commands/test_erase.py",
    "erasure/store.py": "commands/test_erase.py",
    "commands/audit_log.py": "commands/test_reveal.py",
    "ner/server.py": "ner/test_client.py",
    "assembly/anchors.py": "archive/test_anchoring.py",
    "assembly/build.py": "test_cli.py",
    "assembly/explanation.py": "assembly/test_check.py",
    "assembly/injection.py": "inject/test_cluster.py",
    "assembly/keyring.py": "commands/test_keys.py",
    "assembly/log_recording.py": "replay/test_recording.py",
    "assembly/modules.py": "assembly/test_build.py",
    "assembly/outcomes.py": "analyzer/test_outcomes.py",
    "assembly/reviewing.py": "review/test_reviewer.py",
    "app/proxy.py": "end_to_end/test_spine.py",
    "app/recorder.py": "end_to_end/test_faults.py",
    "commands/progress.py": "commands/test_replay.py",
    "redrive/dialects.py": "redrive/test_requests.py",
    "redrive/estimate.py": "commands/test_redrive.py",
    "redrive/layouts.py": "redrive/test_requests.py",
    "redrive/report.py": "commands/test_redrive.py",
    "redrive/run.py": "commands/test_redrive.py",
    "redrive/wording.py": "redrive/test_judge.py",
    "replay/comparison.py": "commands/test_replay.py",
    "replay/datasets.py": "commands/test_replay.py",
    "replay/evidently_report.py": "distances/test_evidently.py",
    "replay/headline.py": "reports/test_page.py",
    "replay/wording.py": "replay/test_report.py",
    "reports/pictures.py": "reports/test_page.py",
    "reports/sections.py": "reports/test_page.py",
    "replay/parts.py": "replay/test_judge.py",
    "replay/plan.py": "commands/test_replay.py",
    "replay/reasons.py": "replay/test_odd_tables.py",
    "replay/timeline.py": "replay/test_periods.py",
    "replay/terms.py": "replay/test_data_quality.py",
    "replay/usual_course.py": "replay/test_periods.py",
    "tables/cells.py": "tables/test_rows.py",
    "recorder/label_limiter.py": "test_meters.py",
    "chat.py": "protocols/test_openai_chat.py",
    "carriers/envelopes.py": "protocols/test_bedrock.py",
    "carriers/rpcs.py": "protocols/test_kserve_v2_grpc.py",
    "carriers/tensors.py": "protocols/test_kserve_v2.py",
    "protocols/bedrock_converse.py": "protocols/test_bedrock.py",
    "protocols/bedrock_texts.py": "protocols/test_bedrock.py",
    "words/cues.py": "answers/test_sourced.py",
    "fhir.py": "privacy/test_sides.py",
    "words/person.py": "recognizers/test_recognizers.py",
    "words/units.py": "answers/test_quantities.py",
    "analysis/checkpoint.py": "app/test_analyzer.py",
    "analysis/blocks.py": "analysis/fairness/test_monitor.py",
    "analysis/experiments/run.py": "analysis/experiments/test_monitor.py",
    "api/bodies.py": "api/test_feedback.py",
    "api/openapi.py": "api/test_queries.py",
    "api/problems.py": "api/test_queries.py",
    "charts.py": "console/test_pages.py",
    "console/forms.py": "console/test_pages.py",
    "console/views.py": "console/test_pages.py",
    "readable.py": "console/test_pages.py",
    "documents.py": "commands/test_schema.py",
    "analysis/outcome_status.py": "analysis/test_outcome_rules.py",
    "analysis/state.py": "analysis/test_monitors.py",
    "analysis/drift/monitor.py": "analysis/test_fold.py",
    "analysis/drift/watches.py": "analysis/drift/test_eviction.py",
    "demo/models.py": "demo/test_run.py",
    "demo/screen.py": "demo/test_run.py",
    "demo/domain_screen.py": "demo/test_domain.py",
    "demo/scripted.py": "demo/test_domain.py",
    **{
        f"demo/{one}.py": "demo/test_scenarios.py"  # all are held to the same
        for one in ("scenario", "ecommerce", "finance", "healthcare", "legal", "science", "support")
    },
    "proxy/chunked.py": "proxy/test_http1_fast_path.py",
    "proxy/copies.py": "proxy/test_http1_fast_path.py",
    "proxy/heads.py": "proxy/test_http1_fast_path.py",
    "proxy/frames.py": "proxy/test_http2.py",
    "proxy/hangups.py": "proxy/test_splice.py",
    "proxy/http1_exchange.py": "proxy/test_http1_fast_path.py",
    "proxy/http1_parser.py": "proxy/test_http1_fast_path.py",
    "proxy/ids.py": "proxy/test_handoff.py",
    "proxy/outcomes.py": "proxy/test_http2.py",
    "proxy/side.py": "proxy/test_splice.py",
    "settings/validation.py": "settings/test_load.py",
    "answers/json_keywords.py": "answers/test_json_schemas.py",
    "sessions.py": "alerting/test_delivery.py",
    **{
        f"notifiers/{kind}.py": "notifiers/test_notifiers.py"
        for kind in ("alertmanager", "opsgenie", "pagerduty", "slack", "teams")
    },
    "zstd.py": "recorder/test_calls.py",
}
"""What is best tested where it is used."""

DECLARATIONS = {
    "errors.py",
    "interfaces.py",
    "settings/alerts.py",
    "settings/archive.py",
    "settings/circumstances.py",
    "settings/experiments.py",
    "settings/injector.py",
    "settings/kinds.py",
    "settings/schema.py",
    "types.py",
    "findings.py",
    "proxy/observer.py",
    "replay/document.py",
    "rows.py",
    "redrive/document.py",
}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_tests_mirror_the_source(path: Path) -> None:
    """Each module has its test file, or a stated place where it is tested."""
    where = name(path)
    if path.stem in {"__init__", "__main__"} or where in DECLARATIONS:
        return
    for room in ("recognizers", "edge_cases", "checks"):
        if where.startswith(f"{room}/"):
            where = f"{room}/{room}.py"  # each by its own examples and counterexamples
    if where.startswith("queries/") and path.stem != "query":
        where = "queries/queries.py"  # all are asked alike
    if where.startswith("metrics/"):
        where = "metrics.py"  # entries of the one catalogue
    mirror = str(Path(where).parent / f"test_{Path(where).name}")
    expected = ELSEWHERE.get(where, mirror)
    assert (ROOT / "tests" / expected).exists(), (
        f"monitor/{name(path)}: write its tests in tests/{expected}, or say in ELSEWHERE "
        "(tests/test_mirror.py) where it is tested"
    )
