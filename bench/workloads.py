"""What a target is put through. Each run ends with counts that must agree, or with an error."""

import asyncio
import random
from dataclasses import dataclass

from bench import crowd
from bench.load import Counts, Load
from bench.machine import memory_kib, processor_seconds, settle
from bench.report import Run, quantiles
from bench.targets import Running, Target

IDLE_RATE = 100.0
"""Messages a second of those who talk beside an idle crowd, when no other rate is given."""
LONGEST = 900.0
"""Seconds that one run may take in all."""


class Mismatch(RuntimeError):
    """Say that rows, acknowledgements and deliveries are not the same."""


@dataclass(frozen=True)
class Workload:
    """Say what to do: `closed`, `open`, `sockets`, `idle` or `kill`."""

    name: str
    conversations: int
    seconds: float
    rate: float = 0.0
    sockets: int = 0
    kind: str = ""

    def fits(self, target: Target) -> bool:
        """Tell whether a target can be put through this."""
        if self.name == "kill":
            return target.can_crash
        return not self.kind or self.kind in target.crowds

    def run(self, running: Running) -> Run:
        """Do it against servers that run."""
        work = {"closed": self._messages, "open": self._messages, "sockets": self._sockets, "idle": self._idle}
        work["kill"] = self._kill

        async def bounded() -> Run:
            async with asyncio.timeout(LONGEST):
                return await work[self.name](running)

        return asyncio.run(bounded())

    async def _messages(self, running: Running) -> Run:
        load = Load(await running.pairs(self.conversations), running.dialect)
        await asyncio.to_thread(settle, running.pids, 5.0)
        before = processor_seconds(running.pids)
        counts = await (load.steady(self.rate, self.seconds) if self.rate else load.closed(self.seconds))
        used = processor_seconds(running.pids) - before
        await self._checked(running, counts)
        return run_of(counts, used)

    async def _sockets(self, running: Running) -> Run:
        seen = await crowd.measured(running, self.kind, self.sockets)
        prefix = "" if self.kind == "visitor" else f"{self.kind}_"
        figures = {
            f"{prefix}sockets": seen.sockets,
            f"{prefix}idle_kib": seen.idle_kib,
            f"{prefix}first_per_s": seen.first_per_s,
            f"{prefix}connect_per_s": seen.connect_per_s,
        }
        return Run(extra=figures)

    async def _idle(self, running: Running) -> Run:
        await asyncio.to_thread(settle, running.pids)
        before = memory_kib(running.pids)
        idle = crowd.Idle(running, "visitor")
        try:
            first_per_s = await idle.come(self.sockets)
            await asyncio.to_thread(running.park)
            pairs = await running.pairs(self.conversations)
            await asyncio.to_thread(settle, running.pids)
            load, came = Load(pairs, running.dialect), len(idle.sockets)
            used = processor_seconds(running.pids)
            counts = await load.steady(self.rate or IDLE_RATE, self.seconds)
            used = processor_seconds(running.pids) - used
            after = memory_kib(running.pids)
            lost = came - sum(socket.alive for socket in idle.sockets)
        finally:
            idle.leave()
        await self._checked(running, counts)
        each = (after - before) / came if after is not None and before is not None else None
        mib = after / 1_024 if after is not None else None
        figures = {"sockets": came, "idle_kib": each, "pss_mib": mib, "first_per_s": first_per_s, "sockets_lost": lost}
        return run_of(counts, used, figures | {"server_cpu": used / self.seconds})

    async def _kill(self, running: Running) -> Run:
        load = Load(await running.pairs(self.conversations), running.dialect)
        # anywhere in a commit, not always at the same place
        when = self.seconds * random.uniform(0.5, 1.0)
        asyncio.get_running_loop().call_later(when, running.crash)
        counts = await load.closed(self.seconds + 0.5)
        stored = await asyncio.to_thread(running.stored_ids)
        acknowledged = {client_id.decode() for client_id in counts.acknowledged_ids}
        lost = len(acknowledged - set(stored))
        if lost or len(stored) != len(set(stored)) or not acknowledged:
            twice = len(stored) - len(set(stored))
            raise Mismatch(f"{len(acknowledged)} were acknowledged, {lost} of them lost; {twice} rows are there twice")
        figures = {"rows_after_kill": len(stored), "acknowledged_before_kill": len(acknowledged), "lost": lost}
        return Run(extra=figures)

    async def _checked(self, running: Running, counts: Counts) -> None:
        if counts.refused:
            raise Mismatch(f"{counts.refused} posts were refused, so this is not the workload: {counts.refusal}")
        rows = await running.stored()
        if not rows == counts.acknowledged == counts.delivered:
            raise Mismatch(f"{rows} rows, {counts.acknowledged} acknowledged, {counts.delivered} delivered")
        if not rows:
            raise Mismatch("nothing was stored")


def run_of(counts: Counts, used: float, figures: dict[str, float | None] | None = None) -> Run:
    """Return the figures of one round."""
    return Run(
        acked_per_s=counts.acknowledged / counts.seconds,
        cpu_s_per_1000=used * 1_000 / counts.acknowledged,
        deliver_ms=quantiles(counts.deliver_ms),
        generator_cpu=counts.generator_cpu,
        extra=figures or {},
    )
