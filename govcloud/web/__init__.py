"""The dashboard: pages for everyone with their own role, and the same operations as JSON for other platforms."""
