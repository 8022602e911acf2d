"""The pages of the event logs: a provider's, an organization's, and all clients' together."""
