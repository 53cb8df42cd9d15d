"""Trained weights.

Where they lie (find), what a file holds (files), which of them a model uses with which options (settle), and into the
model (load). Nothing is ever unpickled.
"""
