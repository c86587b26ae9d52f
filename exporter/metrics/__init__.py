"""What Prometheus collects of a root."""
