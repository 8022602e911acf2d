"""The provider's settings: name and billing details, brand, second factor, and its end."""
