"""Vocabularies and order of contacts and cases, without Django or a database."""
