"""Keep the collector from holding up everybody's next word."""

import gc

COLLECT_AFTER = (5_000, 20, 20)


def keep_pauses_short() -> None:
    """Set the collector up for answering within milliseconds; call it once all is loaded.

    What is loaded by then is never garbage: looking through it took up to 150 ms each time (`docs/performance.md`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def collect() -> None:
    """Look through everything that has come since the start; run it once a minute.

    By count alone it would happen once in a day or two. A line that broke leaves a ring of objects behind, some 40 KiB,
    that only the collector takes apart, and what had lived for minutes only a full look.
    """
    gc.collect()
