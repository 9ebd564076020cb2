"""What a cell came to, as values, and how they are kept on disk.

values  Result, Outcome, Passed, Failed, Skipped, Stage; Column, Unit, Measurement, Host, Source, Provenance,
        RootKeys, Ingredients, Preflight, ManifestRow, Way, Probe, Ran, Completed; SCHEMA, IDLE
store   save, load, load_all, hosts
portable  portable
"""
