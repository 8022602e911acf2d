"""What all areas share of HTTP."""
