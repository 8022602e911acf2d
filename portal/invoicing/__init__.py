"""What is billed to a provider and for one client: amounts ahead, computed, not yet invoiced."""
