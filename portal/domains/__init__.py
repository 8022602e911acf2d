"""Domains of an organization: added, proved by a TXT record, watched, given up."""
