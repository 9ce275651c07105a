"""Turn runs into the table and the file: medians of rounds, ratios inside a round, and a word when a figure is none."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LIMIT = 0.9
"""The share of its core above which the generator, not the server, is measured."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """Hold the figures of one target in one round."""

    acked_per_s: float | None = None
    cpu_s_per_1000: float | None = None
    deliver_ms: Mapping[str, float] = field(default_factory=dict)
    generator_cpu: float | None = None
    extra: Mapping[str, float | None] = field(default_factory=dict)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which this share of ordered values lies (nearest rank)."""
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def quantiles(values: Iterable[float]) -> dict[str, float]:
    """Return median, 95th and 99th percentile."""
    ordered = sorted(values)
    return {"p50": percentile(ordered, 0.5), "p95": percentile(ordered, 0.95), "p99": percentile(ordered, 0.99)}


def median_of(values: Iterable[float | None]) -> float | None:
    """Return the median of what was measured, None when nothing was."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def row_of(target: str, n: int, workload: str, runs: Sequence[Run]) -> Row:
    """Return the medians of a target's rounds."""
    extra = {name for run in runs for name in run.extra}
    return {
        "target": target,
        "workload": workload,
        "n": n,
        "rounds": len(runs),
        "acked_per_s": _rounded(median_of(run.acked_per_s for run in runs), 1),
        "deliver_ms": {
            name: _rounded(median_of(run.deliver_ms.get(name) for run in runs), 2) for name in ("p50", "p95", "p99")
        },
        "cpu_s_per_1000": _rounded(median_of(run.cpu_s_per_1000 for run in runs), 4),
        "generator_cpu": _rounded(median_of(run.generator_cpu for run in runs), 2),
        "idle_kib": None,
        "connect_per_s": None,
    } | {name: _rounded(median_of(run.extra.get(name) for run in runs), 3) for name in sorted(extra)}


def ratios(runs: Sequence[Run], references: Mapping[str, Sequence[Run]]) -> Row:
    """Return how often a reference's processor time, and what share of its messages, each by round; medians."""
    found: Row = {"cpu_ratio": {}, "acked_ratio": {}}
    for name, others in references.items():
        both = list(zip(runs, others, strict=False))
        cpu = median_of(_ratio(mine.cpu_s_per_1000, other.cpu_s_per_1000) for mine, other in both)
        acked = median_of(_ratio(mine.acked_per_s, other.acked_per_s) for mine, other in both)
        found["cpu_ratio"][name] = _rounded(cpu, 2)
        found["acked_ratio"][name] = _rounded(acked, 3)
    return found


def table(rows: Sequence[Row], references: Mapping[str, str]) -> str:
    """Return the figures for people; `references` says which reference a target stands beside."""
    head = ("target", "CPU s/1000", "x ref", "acked/s", "x ref", "p50 ms", "p95 ms", "p99 ms", "generator")
    lines = [head]
    for row in rows:
        beside = references.get(row["target"], "")
        times = row["deliver_ms"]
        lines.append(
            (
                row["target"],
                _cell(row["cpu_s_per_1000"], 3),
                _cell(row.get("cpu_ratio", {}).get(beside), 1),
                _cell(row["acked_per_s"], 0),
                _cell(row.get("acked_ratio", {}).get(beside), 2),
                *(_cell(times[name], 1) for name in ("p50", "p95", "p99")),
                _cell(None if row["generator_cpu"] is None else row["generator_cpu"] * 100, 0) + " %",
            )
        )
    widths = ("<22", ">11", ">7", ">9", ">7", ">9", ">9", ">9", ">11")
    return "\n".join("".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)) for line in lines)


def crowd_table(rows: Sequence[Row]) -> str:
    """Return memory and connections for people."""
    lines = [f"{'target':<22}{'who':<10}{'sockets':>9}{'KiB each':>10}{'first/s':>10}{'again/s':>10}"]
    for row in rows:
        for who, prefix in (("visitor", ""), ("staff", "staff_")):
            if row.get(f"{prefix}sockets"):
                cells = (row[f"{prefix}idle_kib"], row[f"{prefix}first_per_s"], row[f"{prefix}connect_per_s"])
                figures = "".join(f"{_cell(cell, 1):>10}" for cell in cells)
                lines.append(f"{row['target']:<22}{who:<10}{row[f'{prefix}sockets']:>9.0f}{figures}")
    return "\n".join(lines)


def warnings(rows: Sequence[Row]) -> list[str]:
    """Return what a reader must know before using the figures."""
    return [
        f"{row['target']}: the generator used {row['generator_cpu'] * 100:.0f} % of its core: messages per second and"
        " delivery are its own limit, only CPU s/1000 holds"
        for row in rows
        if (row["generator_cpu"] or 0) > LIMIT
    ]


def _ratio(mine: float | None, other: float | None) -> float | None:
    return mine / other if mine is not None and other else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or value != value else round(value, digits)


def _cell(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
