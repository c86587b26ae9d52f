"""From documents to landing parts: one lander per kind of identity."""
