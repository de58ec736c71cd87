"""gRPC: Triton's client, and messages of TensorFlow Serving's; a scripted server answers them."""

from __future__ import annotations

import importlib.metadata
import queue
import struct
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.protocols.goldens.scripted import PAUSE, write

TRITON = "/inference.GRPCInferenceService/"
TENSORFLOW = "/tensorflow.serving.PredictionService/"
PROTO = "tests/protocols/goldens/tensorflow_serving.proto"


class Server:
    """Answers every call with the messages it is given, and keeps those of the call."""

    def __init__(self) -> None:
        import grpc

        self.answers: list[bytes] = []
        self.status: tuple[Any, str] = (grpc.StatusCode.OK, "")
        self.requests: list[bytes] = []
        self.agent = self.path = ""
        outer = self

        class Handler(grpc.GenericRpcHandler):
            def service(self, details: Any) -> Any:
                outer.path = details.method
                outer.agent = dict(details.invocation_metadata)["user-agent"]
                return grpc.stream_stream_rpc_method_handler(outer.answer)

        self._server = grpc.server(ThreadPoolExecutor(2))
        self._server.add_generic_rpc_handlers((Handler(),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def answer(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        self.requests = []
        for one in requests:
            self.requests.append(one)
            if self.path.endswith("ModelStreamInfer"):
                break
        yield from self.answers
        code, message = self.status
        if code.value[0]:
            context.abort(code, message)


def framed(*messages: bytes) -> bytes:
    return b"".join(struct.pack(">BI", 0, len(one)) + one for one in messages)


# --- Triton --------------------------------------------------------------------------------------


def tensor(name: str, datatype: str, values: Any) -> Any:
    import numpy as np
    from tritonclient.grpc import InferInput

    found = InferInput(name, list(np.shape(values)), datatype)
    kinds = {"BYTES": np.object_, "FP32": np.float32, "INT64": np.int64}
    found.set_data_from_numpy(np.array(values, dtype=kinds[datatype]))
    return found


def inputs() -> list[Any]:
    return [tensor("age", "INT64", [[41], [35]]), tensor("plan", "BYTES", [[b"pro"], ["päd".encode()]])]  # fmt: skip


def infer(address: str) -> None:
    from tritonclient.grpc import InferenceServerClient

    found = InferenceServerClient(address).infer("churn", inputs(), "3", request_id="r-1")
    (told,) = {len(one.contents.fp32_contents) for one in found.get_response().outputs[:1]}
    assert told == 4 or found.as_numpy("p").tolist() == [[0.25, 0.75], [0.5, 0.5]]


def shared(address: str) -> None:
    from tritonclient.grpc import InferenceServerClient, InferInput

    hidden = InferInput("image", [1, 4], "FP32")
    hidden.set_shared_memory("region", 16)
    found = InferenceServerClient(address).infer("churn", [hidden, *inputs()])
    assert found.get_response().model_name == "churn"


def refused(address: str) -> None:
    from tritonclient.grpc import InferenceServerClient
    from tritonclient.utils import InferenceServerException

    said = ""
    try:
        InferenceServerClient(address).infer("churn", inputs())
    except InferenceServerException as error:
        said = str(error)
    assert "Too many" in said


def stream(address: str, wanted: int) -> None:
    from tritonclient.grpc import InferenceServerClient

    found: queue.Queue[Any] = queue.Queue()
    client = InferenceServerClient(address)
    client.start_stream(lambda result, error: found.put((result, error)))
    client.async_stream_infer("llm", [tensor("text_input", "BYTES", [[b"Where is Ulm?"]])])
    for _ in range(wanted):
        found.get(timeout=9)
    client.stop_stream()


def response(*raw: tuple[str, str, list[int], bytes], **parameters: Any) -> Any:
    from tritonclient.grpc import service_pb2

    found = service_pb2.ModelInferResponse(model_name="churn", model_version="3", id="r-1")
    for name, datatype, shape, data in raw:
        found.outputs.add(name=name, datatype=datatype, shape=shape)
        found.raw_output_contents.append(data)
    for name, value in parameters.items():
        found.parameters[name].bool_param = value
    return found


def contents() -> bytes:
    """An answer whose values are fields, as KServe's and MLServer's are."""
    from tritonclient.grpc import service_pb2

    found = service_pb2.ModelInferResponse(model_name="churn")
    one = found.outputs.add(name="p", datatype="FP32", shape=[2, 2])
    one.contents.fp32_contents.extend([0.25, 0.75, 0.5, 0.5])
    two = found.outputs.add(name="label", datatype="BYTES", shape=[2])
    two.contents.bytes_contents.extend([b"stay", b"leave"])
    return bytes(found.SerializeToString())


def streamed(*responses: Any, error: str = "") -> list[bytes]:
    from tritonclient.grpc import service_pb2

    kind = service_pb2.ModelStreamInferResponse
    found = [kind(infer_response=one).SerializeToString() for one in responses]
    return found + ([kind(error_message=error).SerializeToString()] if error else [])


def word(text: str) -> Any:
    raw = struct.pack("<I", len(text.encode())) + text.encode()
    return response(("text_output", "BYTES", [1], raw))


PROBABILITIES = struct.pack("<4f", 0.25, 0.75, 0.5, 0.5)


def triton(server: Server) -> Iterator[tuple[str, str, list[bytes], Any, Callable[[str], None]]]:
    """Protocol, case, messages, status, what the client does."""
    import grpc

    fine = (grpc.StatusCode.OK, "")
    busy = (grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many requests")
    raw = response(("p", "FP32", [2, 2], PROBABILITIES)).SerializeToString()
    last = response(triton_final_response=True)
    yield "kserve_v2", "grpc-infer", [raw], fine, infer
    yield "kserve_v2", "grpc-contents", [contents()], fine, infer
    yield "kserve_v2", "grpc-shared-memory", [raw], fine, shared
    yield "kserve_v2", "grpc-exhausted", [], busy, refused
    yield "kserve_v2", "grpc-stream", streamed(word("In "), word("Bavaria."), last), fine, lambda url: stream(url, 3)  # fmt: skip
    yield "kserve_v2", "grpc-stream-failed", streamed(word("In "), error="out of memory"), fine, lambda url: stream(url, 2)  # fmt: skip


# --- TensorFlow Serving --------------------------------------------------------------------------


def tensorflow(server: Server) -> Iterator[tuple[str, str, list[bytes], Any, Any]]:
    import grpc

    made, services = grpc.protos_and_services(PROTO)
    fine = (grpc.StatusCode.OK, "")
    spec = made.ModelSpec(
        name="churn", version=made.Version(value=3), signature_name="serving_default"
    )

    def of(dtype: int, shape: list[int], **values: Any) -> Any:
        dims = [made.Dim(size=one) for one in shape]
        return made.TensorProto(dtype=dtype, tensor_shape=made.Shape(dim=dims), **values)

    def call(method: str, request: Any) -> Callable[[str], None]:
        def drive(address: str) -> None:
            with grpc.insecure_channel(address) as channel:
                getattr(services.PredictionServiceStub(channel), method)(request)

        return drive

    asked = made.PredictRequest(
        model_spec=spec,
        inputs={
            "age": of(9, [2], int64_val=[41, -1]), "plan": of(7, [2], string_val=[b"pro", "päd".encode()]),
            "image": of(1, [2, 2], tensor_content=PROBABILITIES), "constant": of(1, [2, 2], float_val=[0.5]),
            "half": of(19, [1], half_val=[0x3C00]), "scalar": of(10, [], bool_val=[True]), "zeros": of(3, [3]),
        },
    )  # fmt: skip
    told = made.PredictResponse(
        model_spec=spec, outputs={"p": of(1, [2, 2], float_val=[0.25, 0.75, 0.5, 0.5])}
    )
    examples = [
        made.Example(features=made.Features(feature={
            "age": made.Feature(int64_list=made.Int64List(value=[age])),
            "plan": made.Feature(bytes_list=made.BytesList(value=[plan])),
        })) for age, plan in ((41, b"pro"), (35, b"free"))
    ]  # fmt: skip
    rows = made.ExampleRequest(
        model_spec=spec, input=made.Input(example_list=made.ExampleList(examples=examples))
    )
    classes = made.ClassificationResponse(model_spec=spec)
    for scores in ((0.25, 0.75), (0.5, 0.5)):
        row = classes.result.classifications.add()
        for label, score in zip(("stay", "leave"), scores, strict=True):
            row.classes.add(label=label, score=score)
    values = made.RegressionResponse(model_spec=spec)
    for value in (1.5, -2.0):
        values.result.regressions.add(value=value)
    for case, answer, method, request in (
        ("grpc-predict", told, "Predict", asked),
        ("grpc-classify", classes, "Classify", rows),
        ("grpc-regress", values, "Regress", rows),
    ):
        yield "tensorflow_serving", case, [answer.SerializeToString()], fine, call(method, request)


def record() -> None:
    """Play all cases, or those that the command line names."""
    server = Server()
    wanted = sys.argv[1:]
    sys.path.insert(0, str(Path.cwd()))
    for maker, client in ((triton, "tritonclient"), (tensorflow, "grpcio")):
        for protocol, case, answers, status, drive in maker(server):
            if wanted and f"{protocol}/{case}" not in wanted:
                continue
            server.answers, server.status = answers, status
            drive(server.address)
            code, message = status
            asked = (
                f"POST {server.path} HTTP/2\r\nhost: model.example\r\ncontent-type: application/grpc\r\n"
                f"user-agent: {server.agent}\r\nte: trailers\r\n\r\n"
            )
            said = f"grpc-status: {code.value[0]}\r\ngrpc-message: {message}\r\n"
            sizes = [len(framed(*answers[: place + 1])) for place in range(len(answers))]
            about = {
                "client": f"{client} {importlib.metadata.version(client)}",
                "texts": [],
                "chunks": [[(place + 1) * PAUSE, size] for place, size in enumerate(sizes)] or [[PAUSE, 0]],
                "trailers": said,
            }  # fmt: skip
            head = b"HTTP/2 200 \r\ncontent-type: application/grpc\r\n\r\n"
            write(protocol, case, asked.encode() + framed(*server.requests), head + framed(*answers), about)  # fmt: skip
