"""The settings of sidecars that are put into Pods, in a file of their own."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.settings.kinds import Section


class Injector(Section, frozen=True):
    """What `monitor injector` and `monitor inject` add to Pods that say nothing else.

    An empty `image` is that of this version. In a Pod's namespace are the Secret `secret`, with
    `redis` and `privacy.key`, and the ConfigMap `config`, with `monitor.yaml`; empty: none.
    `kubernetes_minor` is that of the cluster's version 1.x. With `rotates` the injectors make and
    renew the webhook's certificate themselves (`inject.rotation`), and `tls` is not set.
    """

    image: str = ""
    secret: str = "monitor"  # noqa: S105  the name of an object
    config: str = ""
    kubernetes_minor: Annotated[int, msgspec.Meta(ge=20, le=999)] = 33
    rotates: bool = False
