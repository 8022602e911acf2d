"""What the owners of an organization decide about it as a whole: its settings, and its end."""
