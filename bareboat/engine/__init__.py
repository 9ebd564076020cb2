"""What Bareboat needs of a container engine, as Protocols and values, and an engine for tests that needs no Podman."""
