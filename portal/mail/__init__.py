"""Mails: what they say (`messages`), how they look (`letters`), how they leave (`delivery`)."""
