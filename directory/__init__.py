"""Services to refer to, and who may see which."""
