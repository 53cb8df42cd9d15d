"""Plugins put on a folder of the path, as pip would."""

from __future__ import annotations


def install(site, name, init, **modules):
    """Put a plugin on a folder of the path, as pip would."""
    info = site / f"spikecore_plugin_{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: spikecore-plugin-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[spikecore.plugins]\n{name} = spikecore_plugin_{name}\n")
    package = site / f"spikecore_plugin_{name}"
    package.mkdir()
    for module, text in {"__init__": init, **modules}.items():
        (package / f"{module}.py").write_text(text)
    return package
