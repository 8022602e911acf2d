"""The provider: its people, keys and home."""
