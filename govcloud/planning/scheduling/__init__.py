"""Solves the general scheduling problem of model/schedule.py: knows ticks, activities and resources, nothing of migrations."""
