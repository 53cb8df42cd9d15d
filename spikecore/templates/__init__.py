"""What `spikecore new-plugin` renders: small plugin projects that work and pass their contract tests."""
