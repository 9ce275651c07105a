"""Ask for a second of work when very many conversations are begun at once, and see that it was done.

The challenge is altcha's (version 2): the derived key of a count that is known here only, so that it always takes about
the same time to find, and its proof is checked without deriving anything. It is signed under secrets that live in this
process's memory, holds nothing about anybody, runs out after five minutes and counts once.
"""

import os
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Literal

from altcha import v2 as altcha

from chat import measures
from chat.per_loop import PerLoop
from chat.protocol import Proof, ProofChallenge

ALGORITHM: Literal["PBKDF2/SHA-256"] = "PBKDF2/SHA-256"
COST = 5_000
FEWEST, MOST = 200, 600
"""Derivations that a page makes: about a second on a desk machine (docs/operations.md has the figures)."""
LASTS = timedelta(minutes=5)
SOLVE_WITHIN = 60.0
"""Seconds that a line without a conversation stays open for the work."""
MOST_ASKED = 3
"""Challenges on one line; whoever needs more comes back later."""
MOST_SPENT = 100_000


class Proofs:
    """Make and check the challenges of one process."""

    def __init__(self) -> None:
        self._secret, self._key_secret = os.urandom(32), os.urandom(32)
        self._spent: OrderedDict[str, float] = OrderedDict()

    def challenge(self, now: datetime) -> ProofChallenge:
        """Return a new challenge; derives one key."""
        measures.proofs.labels("asked").inc()
        made = altcha.create_challenge(
            ALGORITHM,
            COST,
            counter=FEWEST + secrets.randbelow(MOST - FEWEST),
            expires_at=int((now + LASTS).timestamp()),
            hmac_secret=self._secret,
            hmac_key_secret=self._key_secret,
        )
        parameters = made.parameters
        return ProofChallenge(
            algorithm=ALGORITHM,
            cost=COST,
            nonce=parameters.nonce,
            salt=parameters.salt,
            key_length=parameters.key_length,
            key_prefix=parameters.key_prefix,
            key_signature=parameters.key_signature or "",
            expires_at=parameters.expires_at or 0,
            signature=made.signature or "",
        )

    def accepts(self, proof: Proof, now: datetime) -> bool:
        """Tell whether the work of a challenge of ours was done, in time and for the first time."""
        challenge, at = proof.challenge, now.timestamp()
        good = challenge.expires_at >= at and challenge.nonce not in self._spent and self._solved(proof)
        measures.proofs.labels("passed" if good else "failed").inc()
        if good:
            self._spend(challenge, at)
        return good

    def _solved(self, proof: Proof) -> bool:
        asked = proof.challenge
        parameters = altcha.ChallengeParameters(
            algorithm=asked.algorithm,
            nonce=asked.nonce,
            salt=asked.salt,
            cost=asked.cost,
            key_length=asked.key_length,
            key_prefix=asked.key_prefix,
            key_signature=asked.key_signature,
            expires_at=asked.expires_at,
        )
        payload = altcha.Payload(
            altcha.Challenge(parameters, asked.signature), altcha.Solution(proof.counter, proof.derived_key)
        )
        return altcha.verify_solution(payload, self._secret, hmac_key_secret=self._key_secret).verified

    def _spend(self, challenge: ProofChallenge, at: float) -> None:
        self._spent[challenge.nonce] = challenge.expires_at
        # in the order of their use, which is nearly that of their end
        while self._spent:
            nonce, ends = next(iter(self._spent.items()))
            if ends >= at and len(self._spent) <= MOST_SPENT:
                break
            del self._spent[nonce]


proofs = PerLoop(Proofs)
"""Return the challenges of this process."""
