"""Rules of a conversation, without Django, Channels or a database."""
