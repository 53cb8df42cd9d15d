"""Many recordings.

Each is done once, by whoever is free: in this process, in several, or where an executor says.
"""
