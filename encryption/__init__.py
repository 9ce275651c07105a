"""The only room that sees keys."""
