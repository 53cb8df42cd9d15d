"""Which parts together.

Components bound by name and checked against each other, and the options of the runner; as TOML, JSON or Python. Imports
none of their code.
"""
