"""Rules of the ladder, without Django or a database."""
