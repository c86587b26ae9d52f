"""What a run leaves and shows: screen, summary, log, records, alerts."""
