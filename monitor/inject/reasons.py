"""Why a Pod got no sidecar, or one that no traffic reaches: every reason, with its result.

`skipped`: nobody asked, or it is there. `refused`: somebody asked, and it cannot be done safely.
`failed`: a defect, or an API server that does not answer. A Pod is admitted in every case.
"""

from __future__ import annotations

REASONS: dict[str, str] = {
    "not_asked": "skipped",  # no annotation `monitor.dev/inject: enabled`
    "already_injected": "skipped",  # a container of our name is there
    "mirror_pod": "skipped",  # the kubelet's own, of a file on the node
    "system_namespace": "skipped",  # kube-system and its like, whatever the selector says
    "own_pod": "skipped",  # an analyzer or an injector
    "other_object": "skipped",  # no Pod that is being created
    "invalid_annotation": "refused",  # a value that is none; the warning names it
    "unknown_container": "refused",  # `monitor.dev/container` names none
    "no_port": "refused",  # the model's port is not known
    "host_network": "refused",  # the node's ports are nobody's alone
    "windows": "refused",  # the image is for Linux
    "name_taken": "refused",  # a volume or a port has a name that we need
    "job_needs_native": "refused",  # an ordinary container would keep a Job from ending
    "kubernetes_too_old": "refused",  # native sidecars need 1.29
    "pod_resources": "refused",  # the Pod bounds all its containers together
    "unmovable": "refused",  # `capture: port-swap`, and nothing says how to move the model
    "no_secret": "refused",  # the Secret, or a key of it, is not in the namespace
    "no_config": "refused",  # the ConfigMap, or its key, is not in the namespace
    "invalid_config": "refused",  # the ConfigMap holds settings with which we would not start
    "unreadable": "failed",  # no Pod as Kubernetes writes it
    "no_answer": "failed",  # the API server did not say whether Secret and ConfigMap are there
    "error": "failed",  # a defect of ours
}
"""Reason → result. With the result `injected` the reason is empty, or `uncaptured`."""

UNCAPTURED = "uncaptured"
"""The sidecar is there, and clients reach it only at a port of its own."""


class Refusal(Exception):  # noqa: N818  it is what was decided, and no error
    """A Pod gets no sidecar: a reason, and a sentence for whoever made the Pod."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(why)
        self.reason, self.why = reason, why

    @property
    def result(self) -> str:
        """The value of the label `result` of the injector's metric."""
        return REASONS[self.reason]
