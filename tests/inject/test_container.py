"""The one description of our containers, against what Kubernetes and `monitor` accept."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest

from monitor.inject import container
from monitor.inject.container import ADMIN, LISTEN, Options, analyzer, sidecar, volumes
from monitor.settings import load
from monitor.settings.schema import Settings

MODEL = {"name": "model", "image": "model:1", "ports": [{"containerPort": 9000}]}
WHOLE = Options(
    endpoint="support-bot", config="monitor", pull_policy="Always", user=10001, group=0,
    cpu_limit="100m", env={"MONITOR_LOG": "json", "OTEL_SERVICE_NAME": "bot"},
)  # fmt: skip
OPTIONS = [Options(), WHOLE, Options(native=False), Options(secret="", port=8000)]


def pod(options: Options) -> dict[str, Any]:
    """A Pod with the sidecar, and nothing of its own that would make it safe."""
    ours = sidecar(options)
    spec: dict[str, Any] = {"containers": [MODEL], "volumes": volumes(options)}
    if options.native:
        spec["initContainers"] = [ours]
    else:
        spec["containers"] = [MODEL, ours]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "model"}, "spec": spec}


def of(container_: dict[str, Any]) -> dict[str, str]:
    """Its variables; those of a Secret with a value of the right form."""
    return {one["name"]: one.get("value", "redis://store:6379/0") for one in container_["env"]}


def read(container_: dict[str, Any]) -> Settings:
    """What `monitor` makes of the variables; a configuration file is not at hand."""
    return load.load(None, of(container_))


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("version", ["1.29", "1.36"])
def test_kubernetes_accepts_them(options: Options, version: str) -> None:
    """By the schemas of the oldest and of a new version; unknown fields are errors."""
    kubernetes_validate.validate(pod(options), version, strict=True)
    spec = {"containers": [analyzer(options)], "volumes": volumes(options)}
    kubernetes_validate.validate({**pod(options), "spec": spec}, version, strict=True)


@pytest.mark.parametrize("options", OPTIONS)
def test_a_volume_is_there_for_each_mount(options: Options) -> None:
    """And no volume that nobody mounts; each place once."""
    for one in (sidecar(options), analyzer(options)):
        names = [mount["name"] for mount in one["volumeMounts"]]
        assert names == [volume["name"] for volume in volumes(options)]
        assert len({mount["mountPath"] for mount in one["volumeMounts"]}) == len(names)
        assert all(name.startswith("monitor-") for name in names)


@pytest.mark.parametrize("options", OPTIONS)
def test_monitor_accepts_the_variables(options: Options) -> None:
    """Each is a setting, and the ports of the container are those that are listened at."""
    for one in (sidecar(options), analyzer(options)):
        assert load.unknown_variables(of(one)) == []
        settings = read(one)
        ports = {port["name"]: port["containerPort"] for port in one["ports"]}
        assert settings.admin == f"[::]:{ports['metrics']}"
        assert settings.data in {mount["mountPath"] for mount in one["volumeMounts"]}
        if "traffic" in ports:
            assert settings.listen == f"[::]:{ports['traffic']}"
            assert settings.upstream == f"http://127.0.0.1:{options.port}"
        assert settings.redis == ("redis://store:6379/0" if options.secret else "")
        key = settings.privacy.key_file
        assert key == ("/etc/monitor-key/privacy.key" if options.secret else None)


@pytest.mark.parametrize("options", OPTIONS)
def test_they_are_restricted_by_themselves(options: Options) -> None:
    """All that the Pod Security Standard asks of a container, and no user of our own in it."""
    for one in (sidecar(options), analyzer(options)):
        context = one["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert context.get("runAsUser") == options.user
        assert context.get("runAsGroup") == options.group


def test_a_native_sidecar_is_waited_for_by_nobody() -> None:
    """It goes on until the model has ended; in the ordinary mode it stays 5 s for late requests."""
    native, ordinary = sidecar(Options()), sidecar(Options(native=False))
    assert native["restartPolicy"] == "Always"
    assert "startupProbe" not in native
    assert "restartPolicy" not in ordinary
    assert (read(native).drain.delay, read(ordinary).drain.delay) == (0, 5)


def test_the_spool_fits_into_its_volume() -> None:
    """The kubelet evicts a Pod whose volume is over its limit. There is no limit of the container:
    without one of the model it would be the limit of both."""
    options = Options(spool=300 * 2**20 + 1)
    one, (data, *_) = sidecar(options), volumes(options)
    assert data["emptyDir"]["sizeLimit"] == "557Mi"
    assert one["resources"]["requests"]["ephemeral-storage"] == "557Mi"
    assert read(one).spool.max_bytes == options.spool
    assert "ephemeral-storage" not in one["resources"]["limits"]


def test_no_port_is_one_that_models_use() -> None:
    """Containers of a Pod share its ports: not 8080, and not the one of an exporter in the model."""
    assert {LISTEN, ADMIN}.isdisjoint({80, 3000, 5000, 8000, 8001, 8080, 8081, 9000, 9090, 9464})


def test_the_key_can_be_read_by_any_user_of_the_image() -> None:
    """Mode 0440: by the group of the volume, which is the image's group 0 or the Pod's fsGroup; by
    nobody else, or `monitor` refuses it."""
    (secret,) = (one["secret"] for one in volumes(Options()) if "secret" in one)
    assert secret["defaultMode"] == 0o440
    assert [one["path"] for one in secret["items"]] == [container.KEY_FILE]


def test_a_users_variable_wins() -> None:
    """Once in the list: of two with one name the last counts, and tools complain."""
    one = sidecar(Options(env={"MONITOR_REDIS": "redis://other:6379/1", "MONITOR_LISTEN": "a:1"}))
    names = [variable["name"] for variable in one["env"]]
    assert len(names) == len(set(names))
    assert of(one)["MONITOR_REDIS"] == "redis://other:6379/1"
    assert of(one)["MONITOR_LISTEN"] == "a:1"
