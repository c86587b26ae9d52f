"""What is published: contracts, lineage and fingerprints."""
