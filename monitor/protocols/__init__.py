"""Call → Inference, one file per dialect; the first that claims a call reads it."""

from __future__ import annotations

from monitor.carriers.envelopes import Envelope
from monitor.interfaces import Protocol
from monitor.protocols.anthropic_messages import PROTOCOL as ANTHROPIC_MESSAGES
from monitor.protocols.bedrock import PROTOCOL as BEDROCK
from monitor.protocols.bedrock_converse import PROTOCOL as BEDROCK_CONVERSE
from monitor.protocols.bedrock_texts import PROTOCOL as BEDROCK_TEXTS
from monitor.protocols.cohere import PROTOCOL as COHERE
from monitor.protocols.gemini import PROTOCOL as GEMINI
from monitor.protocols.generic_json import PROTOCOL as GENERIC_JSON
from monitor.protocols.grpc import PROTOCOL as GRPC
from monitor.protocols.kserve_v1 import PROTOCOL as KSERVE_V1
from monitor.protocols.kserve_v2 import PROTOCOL as KSERVE_V2
from monitor.protocols.kserve_v2_grpc import PROTOCOL as KSERVE_V2_GRPC
from monitor.protocols.llama_cpp import PROTOCOL as LLAMA_CPP
from monitor.protocols.mlflow import PROTOCOL as MLFLOW
from monitor.protocols.ollama import PROTOCOL as OLLAMA
from monitor.protocols.openai_audio import PROTOCOL as OPENAI_AUDIO
from monitor.protocols.openai_chat import PROTOCOL as OPENAI_CHAT
from monitor.protocols.openai_images import PROTOCOL as OPENAI_IMAGES
from monitor.protocols.openai_moderations import PROTOCOL as OPENAI_MODERATIONS
from monitor.protocols.openai_realtime import PROTOCOL as OPENAI_REALTIME
from monitor.protocols.openai_responses import PROTOCOL as OPENAI_RESPONSES
from monitor.protocols.rerank import PROTOCOL as RERANK
from monitor.protocols.sagemaker import PROTOCOL as SAGEMAKER
from monitor.protocols.seldon import PROTOCOL as SELDON
from monitor.protocols.tensorflow_serving import PROTOCOL as TENSORFLOW_SERVING
from monitor.protocols.tensorflow_serving_grpc import PROTOCOL as TENSORFLOW_SERVING_GRPC
from monitor.protocols.tgi import PROTOCOL as TGI
from monitor.protocols.torchserve import PROTOCOL as TORCHSERVE
from monitor.protocols.triton_generate import PROTOCOL as TRITON_GENERATE
from monitor.protocols.websocket import PROTOCOL as WEBSOCKET

ENVELOPES: tuple[Envelope, ...] = (BEDROCK, MLFLOW, SAGEMAKER)
INNER: tuple[Protocol, ...] = (
    ANTHROPIC_MESSAGES,
    OPENAI_CHAT,
    TGI,
    RERANK,
    BEDROCK_CONVERSE,
    BEDROCK_TEXTS,
    GENERIC_JSON,
)
"""What stands in an envelope."""

PROTOCOLS: tuple[Protocol, ...] = (
    OPENAI_REALTIME,
    WEBSOCKET,
    OLLAMA,
    OPENAI_CHAT,
    ANTHROPIC_MESSAGES,
    TENSORFLOW_SERVING,
    KSERVE_V1,
    KSERVE_V2,
    TRITON_GENERATE,
    KSERVE_V2_GRPC,
    TENSORFLOW_SERVING_GRPC,
    GEMINI,
    SELDON,
    TORCHSERVE,
    COHERE,
    OPENAI_RESPONSES,
    OPENAI_MODERATIONS,
    OPENAI_AUDIO,
    OPENAI_IMAGES,
    RERANK,
    TGI,
    LLAMA_CPP,
    *(each.around(INNER) for each in ENVELOPES),
    GRPC,  # what no dialect knows of it
    GENERIC_JSON,  # claims everything
)
