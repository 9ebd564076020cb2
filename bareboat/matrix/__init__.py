"""One run over a plan: which job runs when, what a cell comes to, and what is said meanwhile.

source    choose_source, one_image_each
standing  find_outputs, which looks up what stands as an earlier run made it
changes   find_changes, which holds a result to today's recipes, samples, lock and code; is_gone, Today
run       run_matrix
gather    gather_run, MatrixRun, new_pins
mend      find_mends, say_mends, give, remember
progress  make_progress, Muted
outlook   Outlook
pace      Pace
plain     Loudness
compile_faults  explain_compile
job, cell, probes, schedule  one job, a cell's stages, a service's probes, the order of jobs: for this room alone
"""
