"""What flows between components.

Streams of spikes and events, samples of sources, batches as components receive them, the state of a running camera.
NumPy only; no torch until a tensor is asked for.
"""
