"""The append-only, hash-chained trail; it knows no other room."""
