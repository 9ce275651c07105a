"""Contacts and cases: what lasts of a conversation, and the follow-up of a situation."""
