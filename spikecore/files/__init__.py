"""Where the outside world ends.

Files looked at before they are opened, written aside and renamed when complete; HDF5 and pictures that nobody vouches
for; which component reads or writes a recording.
"""
