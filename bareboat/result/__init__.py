"""What a cell came to, as values, and how they are kept on disk.

values       Result, Outcome, Passed, Failed, Skipped, Stage, Host, Source, Provenance, RootKeys, Ingredients,
             Preflight, ManifestRow, Way, Probe, Ran, Completed; SCHEMA, IDLE
measurement  Column, Unit, Better, Figure, Measurement, Reading, Spread; NOT_ASKED, NOT_TIMED
gauged       Gauged, GaugedRun
store        save, load, load_all, parse, hosts
portable     portable
"""
