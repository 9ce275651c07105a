"""The program of the offline machine: `python -m encryption.offline STEP`.

It imports no Django, reads no settings of a site and opens no connection; `cryptography` and `mnemonic` are all that it
needs. `docs/key-ceremony.md` says who does what with it.
"""
