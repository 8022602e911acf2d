"""The Clients table and the New client form."""
