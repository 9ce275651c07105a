"""The people who answer: accounts, roles, what a role may do, availability."""
