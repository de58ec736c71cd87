"""Inference → the same, of values that can be encoded, no larger on record than its bodies allow.

Names, roles and braces come with every part, so a small body can be made to read as a huge record.
A side whose parts would take more than `columns.record_room` gives way to its body's text; only
the text of a compressed body may be cut. Pseudonyms come later, and `privacy/records` bounds them.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.types import Call, Inference, Part

_FRAME, _ESCAPED = 64, 6
"""Bytes of a text part beside its strings, and of a character that is written as an escape."""


def _text(value: Any) -> str:
    """A string of somebody's own kind, such as `bodies.Kept`."""
    if isinstance(value, str):
        return str(value)
    raise TypeError


_pack = msgspec.msgpack.Encoder(enc_hook=_text).encode
_encode = msgspec.json.Encoder(enc_hook=_text).encode


def bounded(inference: Inference, call: Call) -> tuple[Inference, int]:
    """The inference as it may go on record, and how many of its sides gave way to their text."""
    exchange = call.exchange
    response = exchange.response
    asked = columns.record_room(call.request_body, exchange.request.body)
    told = columns.record_room(call.response_body, b"" if response is None else response.body)
    if _are_short_texts(inference.inputs, asked) and _are_short_texts(inference.outputs, told):
        return inference, 0
    changes: dict[str, Any] = {}
    given_way = 0
    for side, body, room, role in (
        ("inputs", call.request_body, asked, "user"),
        ("outputs", call.response_body, told, "assistant"),
    ):
        parts: list[Part] = getattr(inference, side)
        try:
            _pack(parts)
        except Exception:  # noqa: BLE001  whatever a part of somebody else's has put in
            changes[side] = parts = [_plain(part) for part in parts]
        if _size(parts) > room:
            found = bodies.text(body)
            said = found[: room // _ESCAPED] if found else f"[{len(body)} bytes]"
            changes[side] = [Part(role=role, text=said)]
            given_way += 1
    return msgspec.structs.replace(inference, **changes) if changes else inference, given_way


def _are_short_texts(parts: list[Part], room: int) -> bool:
    """Whether there are only texts, which fit even if every character were escaped: nearly always
    so in a chat, and much cheaper than to encode them."""
    for part in parts:
        text = part.text
        if text is None or part.data is not None:
            return False
        room -= _FRAME + _ESCAPED * (len(text) + len(part.role or "") + len(part.name or ""))
    return room >= 0


def _size(parts: list[Part]) -> float:
    try:
        return len(_encode(parts))
    except Exception:  # noqa: BLE001  not even that
        return math.inf


def _plain(part: Part) -> Part:
    """A part of numbers and texts that every encoding has."""
    if part.data is None:
        return part
    data = [_value(value) for value in part.data]
    datatype = part.datatype
    if datatype and datatype.startswith(("INT", "UINT")):
        is_text = any(isinstance(value, str) for value in data)
        datatype = "BYTES" if is_text else "FP64"
    return msgspec.structs.replace(part, datatype=datatype, data=data)


def _value(value: Any) -> Any:
    """A number beyond 64 bits as a float, beyond those a text; what is none of JSON as a text."""
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        try:
            return float(value)
        except OverflowError:
            return f"{'-' if value < 0 else ''}1e{int(math.log10(abs(value)))}"
    try:
        _pack(value)
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
    except Exception:  # noqa: BLE001
        return bodies.dump(value) or type(value).__name__
    return value
