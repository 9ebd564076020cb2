"""Jobs that make something: root images, compiled programs, what comes aboard, and the shipped image."""
