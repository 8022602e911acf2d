"""People: signing in, second factor, sessions, keys, profile."""
