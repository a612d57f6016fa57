"""Inventory, compliance, migration and takeover for Chinese government clouds."""

__version__ = "0.1.0"
