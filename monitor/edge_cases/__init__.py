"""View → names of edge cases: one file for each rule, in the order in which a Record lists them."""

from monitor.edge_cases import (
    empty_output,
    invalid_json,
    long_input,
    low_confidence,
    many_pseudonyms,
    near_context_limit,
    other_language,
    out_of_range,
    refusal,
    repeated_request,
    repetition,
    slow_first_token,
    tool_loop,
    truncated,
    unknown_category,
)
from monitor.interfaces import EdgeCase

EDGE_CASES: tuple[EdgeCase, ...] = (
    empty_output.EDGE_CASE,
    truncated.EDGE_CASE,
    refusal.EDGE_CASE,
    invalid_json.EDGE_CASE,
    tool_loop.EDGE_CASE,
    near_context_limit.EDGE_CASE,
    long_input.EDGE_CASE,
    unknown_category.EDGE_CASE,
    out_of_range.EDGE_CASE,
    low_confidence.EDGE_CASE,
    other_language.EDGE_CASE,
    repeated_request.EDGE_CASE,
    many_pseudonyms.EDGE_CASE,
    slow_first_token.EDGE_CASE,
    repetition.EDGE_CASE,
)
