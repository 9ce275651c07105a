"""Count what this process does, for Prometheus: numbers only, and labels that are written in this file.

No id, no name, no text, no address: a label is one of the few words below, never something that came over the wire.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

disable_created_metrics()  # type: ignore[no-untyped-call]
registry = CollectorRegistry(auto_describe=True)

LEVELS = ("0", "1", "2", "3", "4")
SIDES = ("visitor", "staff")
SLOWED = ("frame", "text", "refused")
PROOFS = ("asked", "passed", "failed")
WHYS = ("lapsed", "rescued", "declined", "gave_way")
PAGED = ("due", "failed", "sent", "gave_up", "dropped", "held", "unreached")

batch_texts = Histogram(
    "havre_batch_texts",
    "Texts that shared one commit",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=registry,
)
commit_seconds = Histogram(
    "havre_commit_seconds",
    "Seconds that one commit of texts took",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
    registry=registry,
)
unacknowledged = Gauge("havre_unacknowledged_texts", "Texts that wait for their commit", registry=registry)
gaps_healed = Counter("havre_gaps_healed", "Gaps on a socket that were read from the log", registry=registry)
screenings_failed = Counter(
    "havre_screenings_failed", "Messages that the screening could not look at", registry=registry
)
rules_version = Gauge("havre_rules_version", "Version of the screening rules in force here", registry=registry)
rules_failed = Gauge(
    "havre_rules_failed", "1 while the site's newest rules have a flaw, and may not be in force here", registry=registry
)
resyncs = Counter("havre_resyncs", "Slow sockets that read the log instead of their queue", registry=registry)
slowed = Counter("havre_slowed", "Frames and texts held back, or refused for now", ["what"], registry=registry)
proofs = Counter("havre_proofs", "Proofs of work in a flood", ["what"], registry=registry)
nudges_lost = Counter("havre_nudges_lost", "Nudges between processes that were not sent", registry=registry)
nudges_unread = Counter(
    "havre_nudges_unread", "What came over the layer and is another site's, or of another key", registry=registry
)
deaf = Gauge("havre_layer_deaf", "1 while this process does not hear the others", registry=registry)
resubscribed = Counter("havre_layer_resubscribed", "Subscriptions that were made anew", registry=registry)
sockets = Gauge("havre_sockets", "Open sockets", ["side"], registry=registry)
draining = Gauge("havre_draining", "1 while this process ends", registry=registry)
first_reply_seconds = Histogram(
    "havre_first_reply_seconds",
    "Seconds from the beginning of a conversation to the first answer",
    buckets=(15, 30, 60, 120, 300, 600, 1200, 1800, 3600),
    registry=registry,
)

waiting = Gauge("havre_waiting", "Conversations that wait for somebody", ["level"], registry=registry)
oldest_wait_seconds = Gauge("havre_oldest_wait_seconds", "Longest present wait", ["level"], registry=registry)
running = Gauge("havre_running", "Conversations that somebody holds", registry=registry)
handed_back = Gauge(
    "havre_handed_back_last_hour",
    "Conversations that went back to the queue in the last hour",
    ["why"],
    registry=registry,
)
pages = Gauge(
    "havre_pages_last_hour",
    "Pages to who is on call in the last hour by what became of them, and how often nobody was reached",
    ["what"],
    registry=registry,
)
clocks_overdue_seconds = Gauge(
    "havre_clocks_overdue_seconds",
    "Longest time since a clock of an escalation that nobody has acknowledged ran out and no worker acted",
    registry=registry,
)

for side in SIDES:
    sockets.labels(side)
for level in LEVELS:
    waiting.labels(level)
    oldest_wait_seconds.labels(level)
for what in SLOWED:
    slowed.labels(what)
for what in PROOFS:
    proofs.labels(what)
for why in WHYS:
    handed_back.labels(why)
for what in PAGED:
    pages.labels(what)


def text() -> bytes:
    """Return all of it as Prometheus reads it."""
    return generate_latest(registry)
