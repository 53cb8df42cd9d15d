"""Observers of one training, each in a module of its own."""
