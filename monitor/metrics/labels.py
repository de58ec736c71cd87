"""Every value of the labels that have few."""

from __future__ import annotations

LOSS_REASONS = (
    "buffer_full",  # the proxy's buffer was at its bound
    "too_large",  # one exchange larger than the whole buffer
    "opaque",  # its connection turned opaque under way; the outcome is what its status said, or ok
    "unreadable",  # the recorder failed on it; a defect of ours
    "shutdown",  # still unacknowledged when the drain ended
    "poison",  # the recorder died of it twice; it is handed over no more
    "proxy_died",  # in the buffer of a proxy that was killed, and not yet with the recorder
    "spool_damaged",  # in the spool, and no longer there: a file is corrupt, or somebody deleted it
    "sampled",  # beyond `capture.sample_over`, as somebody asked; the traffic metrics count it
)
"""Every value of the label `reason` of `monitor_exchanges_lost_total`."""

MESSAGES = ("request", "response")
"""Every value of the label `message` of `monitor_cut_bodies_total`."""

CHECK_RESULTS = ("passed", "failed", "skipped", "left_out")
"""Every value of the label `result` of `monitor_output_checks_total`."""

CHECK_GIVEN, CHECK_ITEMS = ("own", "other"), ("right", "wrong")
"""Every value of the labels `given` and `result` of `monitor_output_check_items_total`."""

SET_ASIDE_REASONS = (
    "unreadable",  # not a record of this version: another writer's, or damaged
    "failed",  # counting it raised; a defect of ours
    "poison",  # the analyzer ended at it twice in a row, after it had ended before
)
"""Every value of the label `reason` of `monitor_records_set_aside_total`."""

FEEDBACK_KINDS = ("label", "attributes", "correction", "rating", "event", "verdict")
"""What may be said of an exchange: values of the label `kind`; `unknown` where it was invalid."""

UNKNOWN = "unknown"
"""The label of a model, protocol or operation that nobody has said."""

REDACTION_REASONS = (
    "too_long",  # the rest of a text beyond its bound; a label or field of a head beyond its
    "record_too_large",  # texts of one record together
    "timeout",  # the time for one record was up
    "nesting",  # JSON, or encodings, too deep within each other
    "bomb",  # a compressed run that holds more than its bound
    "too_many_candidates",  # more places than the scanner looks at
    "scan_failed",  # the scanner itself gave an error
    "error",  # anything else went wrong; a defect of ours
    "type",  # a value that is none of JSON
    "unparsable",  # a body that a rule is about, whose places cannot be told
    "surrogates",  # halves of characters, replaced in a text that stays
    "credential",  # the value of a query field that is named for a credential; nothing went wrong
    "ner",  # the model of names gave no answer in time
    "sealed",  # more values in one record than are sealed; the pseudonym is there
    "continues",  # more values in one record than are linked to the key before
    "expansion",  # much larger on record than what it was read from; a text or a digest is there
)
"""Every value of the label `reason` of `monitor_redactions_total`."""

SPAN_RESULTS = ("exported", "dropped", "unsampled")
"""Every value of the label `result` of `monitor_spans_total`."""
