"""Members of an organization: invite, accept, confirm."""
