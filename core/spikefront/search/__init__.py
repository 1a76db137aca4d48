"""The search of a study: the coordinator between algorithm, executor and record."""
