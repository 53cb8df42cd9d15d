"""`python -m spikecore`: the command line."""

from spikecore.cli import main

if __name__ == "__main__":
    main()
