"""What is found out about an image: whether it starts, what its runs show, which files it opens and needs."""
