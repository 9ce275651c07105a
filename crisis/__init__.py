"""Escalations: a call for urgent help that a person acknowledges or that climbs."""
