"""Ask Lighthouse what it thinks of the visitor's page, on a desk's line and on a slow phone's: `make lighthouse`.

Its scores are printed; the exit status is 1 when accessibility or best practices are below what they were.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.machine import say
from tests.support.needs import need_chromium, need_node
from tests.support.servers import HavreServer, havre_environment, manage, migrate_and_seed

PROGRAM = Path(__file__).parent / "node_modules/lighthouse/cli/index.js"
AS_SERVED = "tests.support.as_served"
SLOW_3G = (
    "--throttling-method=devtools",
    "--throttling.requestLatencyMs=400",
    "--throttling.downloadThroughputKbps=400",
    "--throttling.uploadThroughputKbps=400",
    "--throttling.cpuSlowdownMultiplier=4",
)
LINES = {"a desk's line": ("--preset=desktop",), "a slow phone's line": SLOW_3G}
LEAST = {"accessibility": 100, "best-practices": 100}
SECONDS = ("first-contentful-paint", "largest-contentful-paint", "interactive", "total-blocking-time")


def main() -> int:
    """Print the scores in both languages on both lines."""
    low = 0
    with tempfile.TemporaryDirectory(prefix="havre-lighthouse-") as name:
        folder = Path(name)
        environ = havre_environment(folder, DJANGO_SETTINGS_MODULE=AS_SERVED)
        migrate_and_seed(environ)
        manage(environ, "collectstatic", "--noinput", "--verbosity", "0")
        with HavreServer(folder, DJANGO_SETTINGS_MODULE=AS_SERVED) as server:
            for language in ("en", "fr"):
                for line, flags in LINES.items():
                    found = ask(f"{server.base_url}/?l={language}", folder / "report.json", flags)
                    scores = {kind: round(100 * one["score"]) for kind, one in found["categories"].items()}
                    low += sum(scores[kind] < least for kind, least in LEAST.items())
                    say(f"{language}, {line}, Lighthouse {found['lighthouseVersion']}: {told(found, scores)}")
                    for wrong in failed(found):
                        say(f"  {wrong}")
    return 1 if low else 0


def ask(url: str, report: Path, flags: tuple[str, ...]) -> dict[str, Any]:
    """Return the report of a run."""
    command = [need_node(), str(PROGRAM), url, "--quiet", "--output=json", f"--output-path={report}", *flags]
    kinds = "--only-categories=performance,accessibility,best-practices"
    chrome = "--chrome-flags=--headless=new --no-sandbox --disable-gpu"
    environ = os.environ | {"CHROME_PATH": need_chromium()}
    subprocess.run([*command, kinds, chrome, "--no-enable-error-reporting"], env=environ, timeout=180, check=True)
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def told(found: dict[str, Any], scores: dict[str, int]) -> str:
    """Return the scores and the times in a line."""
    times = [f"{name} {found['audits'][name]['numericValue'] / 1000:.1f} s" for name in SECONDS]
    return ", ".join([*(f"{kind} {score}" for kind, score in scores.items()), *times])


def failed(found: dict[str, Any]) -> list[str]:
    """Return what costs points in the two kinds that say right or wrong."""
    audits = found["audits"]
    wanted = [one["id"] for kind in LEAST for one in found["categories"][kind]["auditRefs"] if one["weight"]]
    return [f"{name}: {audits[name]['title']}" for name in wanted if audits[name]["score"] not in (1, None)]


if __name__ == "__main__":
    sys.exit(main())
