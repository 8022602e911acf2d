"""Rules and words of the product. Standard library only: no web, no database, no translations."""
