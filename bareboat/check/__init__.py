"""What is found out about an image: whether it starts, what its runs show, which files it opens and needs.

prediction  closure_of, refuse, compare, judge_cell, judge_failure
runs        verify, judge_run, not_started, Verdict
causes      find_cause, find_panic, find_asker
as_it_stands  Inside, Namespaces, Nowhere
sockets     Sockets
complete    complete, gather_whole
needs       Aboard, check_needs, known_needs, find_lacks, provision_of
limits      limit_hit
again       Again
memory_floor  Floor
cpu_level   read_cpu_level
trace       find_tracer, trace_runs, Trace
strace_log  read_traces, Opened
manifest    make_manifest
minimal     Prover, prove, is_proved
gauge       gauge_cell, take, ask, Answer, Wanted
harbor      probe_service, open_harbor, OpenHarbor, ServiceReport, judge_probes, STATE, SUBJECT
"""
