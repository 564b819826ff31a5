"""Side-by-side measurements, one file a comparison; each run writes bench/results/<machine>/<name>.json."""
