"""One run over a plan: which job runs when, what a cell comes to, and what is said meanwhile."""
