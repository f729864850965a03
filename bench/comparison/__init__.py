"""bench/compare: what it measures, and beside whom. sections/ holds one file for each subject."""
