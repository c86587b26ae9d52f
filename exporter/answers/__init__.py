"""The answers that pages, the API, metrics and reports share, each as SQL."""
