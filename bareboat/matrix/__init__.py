"""One run over a plan: which job runs when, what a cell comes to, and what is said meanwhile.

source    Bases, choose_source, one_image_each
run       run_matrix, MatrixRun, new_pins
progress  make_progress, Progress
job, cell, probes, schedule  one job, a cell's stages, a service's probes, the order of jobs: for this room alone
"""
