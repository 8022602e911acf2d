"""The operator's and user's guides in `docs/`, shown in the portal as its Help."""
