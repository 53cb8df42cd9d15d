"""Observers of a training run, each in a module of its own; they can be registered on any host."""
