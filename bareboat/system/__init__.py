"""What is of the machine: child processes, files written whole or not at all, and the folders that Bareboat keeps."""
