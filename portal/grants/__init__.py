"""Who from the provider can come into an organization: the owner's switch and time-boxed grants."""
