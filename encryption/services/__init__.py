"""Make, find, renew and destroy keys, and hand out sealers. Nobody else touches a key.

sealing      sealers for daily work, from the wrap of today's epoch
archive      the write-only archive: monthly public keys, and wraps that only readers open
lifecycle    the birth, renewal, retirement and destruction of a data key
readers      who can open the archive, and by which slot
unlock       a reader's key for the minutes in which they read
rotation     wrap anew what outlives a key
"""

from encryption.services.lifecycle import create_data_key
from encryption.services.sealing import OPERATIONAL, KeyGone, Sealer, forget, provider, ready, sealer_for

__all__ = ["OPERATIONAL", "KeyGone", "Sealer", "create_data_key", "forget", "provider", "ready", "sealer_for"]
