"""Bareboat side by side with what one runs in its place, on the same bases and with the same compiler.

`works` says what is timed, `ways` who does it, `workplace` where, `figures`, `tables` and `chart` what came of it.
"""
