"""Puts systems into change windows: problem → groups → solver → our own verifier → explanation. Nothing here touches a file."""
