"""The parts of the job curate.py: arguments, stores, raw objects, index, catalog, days."""
