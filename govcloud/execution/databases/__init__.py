"""Databases of four kinds carried from one host to another: the controller's side of it.

`work(action, spec, system, evidence=…, ssh_config=…)` is what the module gov_data calls; each kind is a class in its own
file, the far ends are playbooks/library/module_utils/gov_<kind>*.py.
"""
