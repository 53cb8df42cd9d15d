"""No options: this plugin has no components. Dask's own settings are read by dask (DASK_…, ~/.config/dask)."""
