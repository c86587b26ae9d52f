"""Text: cleaning, secrets, times, JSON."""
