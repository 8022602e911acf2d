"""A client's Admin Console shell and its set-up page."""
