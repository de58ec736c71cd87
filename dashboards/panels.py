"""What a panel is made of: catalogue metrics → PromQL → a Grafana panel, in one look.

A name that is not in the catalogue fails here, when the dashboard is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import prometheus as prometheus_models

from monitor.metrics import BY_NAME

DATASOURCE = models.DataSourceRef(type_val="prometheus", uid="$datasource")
ERRORS = 'outcome=~"server_error|upstream_.*"'
"""The endpoint's failures. What the client did wrong or gave up on is none."""

_COLORS = {
    "ok": "green", "client_error": "yellow", "rate_limited": "orange", "server_error": "red",
    "client_gone": "purple", "upstream_refused": "dark-red", "upstream_timeout": "dark-orange",
    "upstream_broken": "semi-dark-red", "threshold": "red",
}  # fmt: skip


@dataclass(frozen=True)
class Query:
    """One PromQL expression and how its series are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Row:
    """A titled row; `repeat` names the variable it is drawn once for each value of."""

    title: str
    panels: tuple[Any, ...]
    repeat: str = ""


@dataclass(frozen=True)
class Board:
    """A dashboard: the uid `monitor-NAME`, the file `NAME.json`. Its first row is open, and those
    that repeat; the others are collapsed."""

    name: str
    description: str
    rows: tuple[Row, ...]

    @property
    def uid(self) -> str:
        """What addresses of this dashboard end in; it stays."""
        return f"monitor-{self.name}"


# --- PromQL ------------------------------------------------------------------------------------


def of(name: str, *matchers: str) -> str:
    """The series of a catalogue metric under the dashboard's variables.

    Analyzer and archiver are one process for all sidecars: choosing a sidecar's instance must not
    empty what they say, so their metrics are not matched by instance.
    """
    metric = BY_NAME.get(name) or BY_NAME[name.removesuffix("_bucket").removesuffix("_sum")]
    instance = () if metric.role in ("analyzer", "archiver") else ('instance=~"$instance"',)
    labels = ('job=~"$job"', *instance, 'endpoint=~"$endpoint"', *matchers)
    return f"{name}{{{', '.join(labels)}}}"


def rate(name: str, by: str, *matchers: str) -> str:
    """Per second, added up over everything but `by`."""
    return f"sum by ({by}) (rate({of(name, *matchers)}[$__rate_interval]))"


def ratio(part: str, whole: str) -> str:
    """A share of what happened: aggregated first, divided then, nothing where nothing happened."""
    return f"{part} / ({whole} > 0)"


def errors(name: str, by: str, *matchers: str) -> str:
    """The share of exchanges the endpoint failed; 0 while there are exchanges and no failure."""
    whole = rate(name, by, *matchers)
    return f"({rate(name, by, ERRORS, *matchers)} or 0 * {whole}) / ({whole} > 0)"


def named(series: str, what: str, label: str) -> str:
    """The same with the labels `what`, and `name` from another label."""
    with_name = f'label_replace({series}, "name", "$1", "{label}", "(.*)")'
    return f'label_replace({with_name}, "what", "{what}", "", "")'


def quantile(q: float, name: str, by: str, *matchers: str) -> str:
    """An interpolated quantile of a histogram in seconds."""
    return f"histogram_quantile({q}, {rate(name + '_bucket', 'le, ' + by, *matchers)})"


# --- panels ------------------------------------------------------------------------------------


def graph(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    span: int = 8,
    stacked: bool = False,
    steps: tuple[tuple[float, str], ...] = (),
) -> Any:
    """Lines over time; `steps` are (value, color) from which on the background warns."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .min(0)
        .span(span)
        .height(8)
        .line_width(1)
        .fill_opacity(25 if stacked else 5)
        .show_points(look.VisibilityMode.NEVER)
        .tooltip(
            common.VizTooltipOptions()
            .mode(look.TooltipDisplayMode.MULTI)
            .sort(look.SortOrder.DESCENDING)
        )
        .legend(
            common.VizLegendOptions()
            .display_mode(look.LegendDisplayMode.LIST)
            .placement(look.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(look.StackingMode.NORMAL))
    if steps:
        panel.thresholds(_steps(steps)).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(look.GraphTresholdsStyleMode.DASHED)
        )
    for name, color in _COLORS.items():
        if any(name == query.legend or "{{outcome}}" in query.legend for query in queries):
            panel.override_by_name(name, _paint(name, color))
    return _ask(panel, queries)


def number(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    span: int = 4,
    steps: tuple[tuple[float, str], ...] = (),
) -> Any:
    """The newest value, large; green, and from each step on its color."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .span(span)
        .height(4)
        .color_mode(look.BigValueColorMode.VALUE)
        .graph_mode(look.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_steps(steps))
    )
    return _ask(panel, queries)


def bars(title: str, description: str, unit: str, *queries: Query, span: int = 8) -> Any:
    """One horizontal bar for each series, by its newest value."""
    panel = (
        bargauge.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .span(span)
        .height(8)
        .orientation(look.VizOrientation.HORIZONTAL)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )
    return _ask(panel, queries, instant=True)


def buckets(title: str, description: str, expr: str, span: int = 8) -> Any:
    """A histogram over time as a heat map; `expr` keeps the label `le`."""
    panel = (
        heatmap.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit("reqps")
        .span(span)
        .height(8)
        .calculate(False)
        .y_axis(heatmap.YAxisConfig().unit("s"))
    )
    panel.with_target(
        _target(Query(expr, "{{le}}"), "A").format(prometheus_models.PromQueryFormat.HEATMAP)
    )
    return panel


def states(
    title: str,
    description: str,
    query: Query,
    names: dict[str, tuple[str, str]],
    span: int = 24,
) -> Any:
    """A band for each series; `names` gives a value its (text, color)."""
    options = {
        value: models.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(names.items())
    }
    panel = (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit("none")
        .span(span)
        .height(10)
        .show_value(look.VisibilityMode.NEVER)
        .merge_values(True)
        .mappings([models.ValueMap(options=options)])
    )
    return _ask(panel, (query,))


def rows(
    title: str,
    description: str,
    columns: dict[str, tuple[str, str]],
    labels: tuple[str, ...],
    *,
    sort: str = "",
    span: int = 24,
) -> Any:
    """A table: a line for each set of `labels`, `columns` is heading → (expression, unit)."""
    panel = (
        table.Panel()
        .show_header(True)
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit("none")
        .span(span)
        .height(9)
    )
    if sort:
        panel.sort_by([common.TableSortByFieldState().display_name(sort).desc(True)])
    references = [chr(ord("A") + index) for index in range(len(columns))]
    for reference, (heading, (expr, unit)) in zip(references, columns.items(), strict=True):
        panel.with_target(
            _target(Query(expr), reference)
            .instant()
            .format(prometheus_models.PromQueryFormat.TABLE)
        )
        panel.override_by_name(heading, [models.DynamicConfigValue(id_val="unit", value=unit)])
    renamed = {f"Value #{r}": heading for r, heading in zip(references, columns, strict=True)}
    order = {name: index for index, name in enumerate((*labels, *renamed))}
    panel.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(
        models.DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": {"Time": True},
                "indexByName": order,
                "renameByName": renamed,
            },
        )
    )
    return panel


def matrix(
    title: str,
    description: str,
    query: Query,
    row: str,
    column: str,
    *,
    unit: str,
    steps: tuple[tuple[float, str], ...],
    span: int = 24,
) -> Any:
    """A heat map of labels: a line for each value of `row`, a column for each of `column`, the
    newest value in a colored cell."""
    panel = (
        table.Panel()
        .show_header(True)
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .decimals(2)
        .span(span)
        .height(12)
        .thresholds(_steps(steps))
        .override_by_regexp(
            "/.*/",
            [
                models.DynamicConfigValue(
                    id_val="custom.cellOptions",
                    value={"type": "color-background", "mode": "basic"},
                )
            ],
        )
    )
    panel.with_target(_target(query, "A").instant().format(prometheus_models.PromQueryFormat.TABLE))
    panel.with_transformation(
        models.DataTransformerConfig(
            id_val="groupingToMatrix",
            options={
                "rowField": row, "columnField": column, "valueField": "Value",
                "emptyValue": "null",
            },
        )
    )  # fmt: skip
    return panel


def _ask(panel: Any, queries: tuple[Query, ...], *, instant: bool = False) -> Any:
    for index, query in enumerate(queries):
        target = _target(query, chr(ord("A") + index))
        panel.with_target(target.instant() if instant else target)
    return panel


def _target(query: Query, reference: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(reference).datasource(DATASOURCE)
    return target.legend_format(query.legend) if query.legend else target


def _steps(steps: tuple[tuple[float, str], ...]) -> builders.ThresholdsConfig:
    return (
        builders.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps(
            [models.Threshold(value=None, color="green")]
            + [models.Threshold(value=value, color=color) for value, color in steps]
        )
    )


def _paint(name: str, color: str) -> list[models.DynamicConfigValue]:
    paint = [
        models.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})
    ]
    if name == "threshold":
        dashes = {"fill": "dash", "dash": [8, 8]}
        paint.append(models.DynamicConfigValue(id_val="custom.lineStyle", value=dashes))
        paint.append(models.DynamicConfigValue(id_val="custom.lineWidth", value=2))
    return paint
