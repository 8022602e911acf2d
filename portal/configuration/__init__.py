"""A client's configuration as a file: written, compared and applied."""
