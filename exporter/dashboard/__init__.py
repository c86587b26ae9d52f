"""The pages and the JSON files that an operator looks at after a run."""
