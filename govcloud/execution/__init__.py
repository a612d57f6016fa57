"""Carries out migrations: durable engine, guarded attempts, Ansible playbooks, replication and digests."""
