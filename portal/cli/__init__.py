"""Flask commands, one module each."""
