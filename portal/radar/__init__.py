"""What ends, over all of a provider's clients: the page, the calendar and the weekly mail."""
