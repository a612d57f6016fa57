"""The nouns. Frozen dataclasses on the standard library only; every other package may import them."""
