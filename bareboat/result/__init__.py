"""What a cell came to, as values, and how they are kept on disk."""
