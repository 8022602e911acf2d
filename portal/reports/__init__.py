"""What an organization is told of itself: who reaches what, seats over time, signing in."""
