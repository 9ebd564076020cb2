"""Podman: the real engine, and the only user of podman-py.

For others to use:

- `session.py`: `session`, the one way to an engine that runs, and `Session`, what it gives; `begin_session` for who
  holds the gate
- `runs.py`: `hold_gate`, which lets no run begin; `has_dead_runs`, whether one was killed and is not swept up
- `engine.py`: `PodmanEngine`; `own_images.py`: `OwnImages`, what of a store is Bareboat's
- `client.py`: `Attached`, a container that the user sits before
- `settings.py`: `podman_environment`, which writes Podman's private configuration; `search_path`, `cgroups`, `HELPERS`,
  `RUNTIMES_FILE` and `write_if_changed`, which the doctor needs too
- `containersconf.py`: `read_settings`, for a file in the form of containers.conf(5)
- `facts.py`: `recall_facts`, what Podman said of itself and what holds still; `store_list.py`: `StoreList`, the store's
  own list of its images; neither needs Podman
- `store.py`: `storage_file`, where the user configures the image store
"""
