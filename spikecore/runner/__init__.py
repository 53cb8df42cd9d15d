"""A method over a recording of any length, in constant memory.

Windows, batches, tiles and clips; results that are checked, pictures, judgement by metrics, and the record that repeats
the run.
"""
