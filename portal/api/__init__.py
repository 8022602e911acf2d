"""What programs read of one organization, with its key: JSON, and nothing that can be changed."""
