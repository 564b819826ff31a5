"""Side-by-side measurements, one file a comparison; each run writes bench/results/<name>.json."""
