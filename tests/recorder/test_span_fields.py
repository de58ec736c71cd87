"""What is written by hand is what the library that was made from the specification reads."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from monitor.recorder import span_fields
from monitor.recorder.span_fields import flag, key, number, text, texts

VALUES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=300),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.lists(st.text(st.characters(codec="utf-8"), max_size=60), max_size=5),
)


def written(name: bytes, value: Any) -> bytes:
    match value:
        case bool():
            return flag(name, value)
        case str():
            return text(name, value)
        case list():
            return texts(name, value)
    return number(name, value)


def said(value: Any) -> Any:
    """An AnyValue as it was before."""
    which = value.WhichOneof("value")
    if which == "array_value":
        return [one.string_value for one in value.array_value.values]
    return getattr(value, which)


@given(st.lists(st.tuples(st.text("abc._", min_size=1, max_size=200), VALUES), max_size=5))
def test_attributes_are_read_back(pairs: list[tuple[str, Any]]) -> None:
    """Of every kind and size."""
    data = b"".join(written(key(name), value) for name, value in pairs)
    read = Span.FromString(data).attributes
    assert [(one.key, said(one.value)) for one in read] == pairs
    assert [type(said(one.value)) for one in read] == [type(value) for _, value in pairs]


def test_what_has_no_name_is_left_out() -> None:
    """As a version of the conventions has none for it; halves of characters are replaced."""
    assert number(key(""), 1) + text(key(""), "x") + texts(key(""), ["x"]) == b""
    (found,) = Span.FromString(text(key("a"), "\ud800")).attributes
    assert found.value.string_value == "?"


@given(
    st.dictionaries(st.text("abc.", min_size=1), st.text(st.characters(codec="utf-8"))),
    st.lists(st.text("abc", max_size=200), max_size=5),
)
def test_a_delivery_is_read_back(attributes: dict[str, str], names: list[str]) -> None:
    """Its sender, its scope and its spans, in their order."""
    whole = span_fields.whole(attributes, "monitor", "1")
    spans = [
        span_fields.block(b"\x12", span_fields.block(b"\x2a", name.encode())) for name in names
    ]
    request = ExportTraceServiceRequest.FromString(whole(b"".join(spans)))
    (resource,) = request.resource_spans
    assert {one.key: one.value.string_value for one in resource.resource.attributes} == attributes
    (scope,) = resource.scope_spans
    assert (scope.scope.name, scope.scope.version) == ("monitor", "1")
    assert [one.name for one in scope.spans] == names
