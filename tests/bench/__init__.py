"""Measurements, as ratios against a hand-tuned page in the same run. `bin/bench` starts them."""
