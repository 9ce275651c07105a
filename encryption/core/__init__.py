"""Sealing as pure functions: bytes in, bytes out."""
