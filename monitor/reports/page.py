"""A replay's document → a page of HTML that needs nothing else: no script, nothing from elsewhere.

Whatever the document names is text: the templates escape it. The page forbids itself, by its own
policy, to load or to run anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from monitor import charts, readable
from monitor.replay import wording
from monitor.replay.document import Replay
from monitor.replay.headline import (
    by_how_much,
    courses,
    headline,
    segment,
    since,
    text_of,
    when,
    words_of,
)
from monitor.replay.mirrored import once
from monitor.reports import pictures, sections


def page(found: Replay, title: str, facts: Iterable[tuple[str, str]] = ()) -> str:
    """The findings as one page; `facts` are what was compared with what."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _templates().get_template("page.html").render(
        found=found,
        title=title,
        facts=list(facts),
        headline=headline(found),
        style=Markup(style),  # noqa: S704  a file of ours
        digest=digest,
        findings=wording.ranked(found.features),
        courses=courses(found),
        fairness=once(found.fairness or []),
    )  # fmt: skip


def _style() -> str:
    loader = _templates().loader
    assert loader is not None  # noqa: S101  for the type checker
    return loader.get_source(_templates(), "style.css")[0]


@lru_cache(maxsize=1)
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("monitor.reports"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(readable.FILTERS, when=when, segment=segment, share=wording.share)
    made.globals.update(
        charts=charts,
        rounded=readable.rounded,
        pictures=pictures,
        sections=sections,
        wording=wording,
        since=since,
        words_of=words_of,
        text_of=text_of,
        by_how_much=by_how_much,
    )
    return made
