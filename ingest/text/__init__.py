"""Text: cleaning, numbers, times, JSON."""
