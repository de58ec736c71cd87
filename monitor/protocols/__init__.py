"""Call → Inference, one file per dialect; the first that claims a call reads it."""

from __future__ import annotations

from monitor.interfaces import Protocol
from monitor.protocols.anthropic_messages import PROTOCOL as ANTHROPIC_MESSAGES
from monitor.protocols.generic_json import PROTOCOL as GENERIC_JSON
from monitor.protocols.kserve_v2 import PROTOCOL as KSERVE_V2
from monitor.protocols.openai_chat import PROTOCOL as OPENAI_CHAT
from monitor.protocols.websocket import PROTOCOL as WEBSOCKET

PROTOCOLS: tuple[Protocol, ...] = (
    WEBSOCKET,
    OPENAI_CHAT,
    ANTHROPIC_MESSAGES,
    KSERVE_V2,
    GENERIC_JSON,  # claims everything
)
