"""Scripts, what their visitors do next, and which goals were reached; without Django or a database."""
