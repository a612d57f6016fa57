"""The append-only record of everything done: tree, signed checkpoints, export and a verifier that stands alone."""
