"""Measure the kernels beside NumPy and the memory: python tests/benchmarks/kernels.py [--quick]."""

from __future__ import annotations

import argparse

from spikecore_plugin_evaluate.kernels import run, table

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the kernels beside NumPy and the memory.")
    parser.add_argument("--quick", action="store_true", help="small streams, few repeats")
    print(table(run(parser.parse_args().quick)))
