"""Measure the screening of one message: `python -m bench.screening`. Bounded; exits with 1 on a miss."""

import json
import statistics
import time
from pathlib import Path

from bench.load import TEXTS
from crisis.core.screening import Screener
from crisis.proving import ORDINARY as SENTENCES
from crisis.rules import shipped

ROOT = Path(__file__).resolve().parent.parent
TARGET_US = 50.0
"""The target: an ordinary message of 80 characters, at the median."""
ROUNDS, TIMES = 15, 40

ORDINARY = (
    *SENTENCES,
    *(text.decode() for text in TEXTS),
)
LONG = "He never lets me out, he has a gun and my passport, il va me tuer si je parle. "


def main() -> int:
    """Print the figures, write `bench/out/screening.json` and return the exit status."""
    began = time.perf_counter()
    screener = shipped()
    rows = {
        "build all rules and try their examples, ms": (time.perf_counter() - began) * 1e3,
        "ordinary message of 80 characters, us": statistics.median(timed(screener, text) for text in ORDINARY),
        "dangerous message of 80 characters, us": timed(screener, LONG),
        "dangerous text of 4,000 characters, us": timed(screener, (LONG * 51)[:4_000]),
        "the same without a full stop, us": timed(screener, (LONG.replace(".", "") * 52)[:4_000]),
    }
    (ROOT / "bench/out").mkdir(exist_ok=True)
    (ROOT / "bench/out/screening.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    for what, figure in rows.items():
        print(f"{what:48} {figure:10.1f}")
    return 1 if rows["ordinary message of 80 characters, us"] >= TARGET_US else 0


def timed(screener: Screener, text: str) -> float:
    """Return the microseconds that `text` takes, the median of rounds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(TIMES):
            screener.screen(text)
        times.append((time.perf_counter() - began) / TIMES * 1e6)
    return statistics.median(times)


if __name__ == "__main__":
    raise SystemExit(main())
