"""Maintenance takeover: checklist, evidence, key rotation and the two sign-offs."""
