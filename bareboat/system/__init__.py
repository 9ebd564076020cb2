"""Talks to this machine's operating system: child processes, files, and the folders that Bareboat keeps.

Others use `process.Processes` to run commands, `become` to go on as one, `foreground.run_in_foreground`, `has_terminal`
and `is_listened_to` for one that the user sits before, and `logs.LogCopy` for the log of one that is left running;
`files.read_file` to read what may be no file, `write_whole`, `replacing`, `sweep` and `sweep_below` to write files,
`make_open_folder`, and `bytes_below`; `folders.Folders`, `find_folders` and `remove` for caches, logs and scratch
space, `folder_digits`, `find_state` for what is kept for good, `make_passage` for a folder where everybody may make
one; `locks.Locks` to wait for each other, with `open_lock`, `take`, `is_free`, `say_holder` and `holder` for who asks
for no name; `once.Once` for what threads share; `quiet.wait_for_quiet`, `Processors` and `say_busy` for whether a
figure can be timed; and `screen.Screen` and `find_screen` for the terminal that an answer is read on. Before a text is
printed, logged or saved it goes through `redact.without_secrets`, and before a terminal gets it through
`printable.printable` or `printable_lines`, unless it is `Exact`; a message that names a command of ours goes through
`called.as_called`.
"""
