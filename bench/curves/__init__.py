"""Allocators under load: what was taken of each, what it comes to, and how it is shown.

figures  the pure values and statistics, taking  the runs, chart, tables, claims, page  how they are shown
"""
