"""Rules of the directory, without Django or a database."""
