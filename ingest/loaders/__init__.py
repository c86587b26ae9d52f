"""From documents to landing parts: one loader per kind of identity."""
