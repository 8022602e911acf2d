"""Collections of an organization; their names are ciphertext here."""
