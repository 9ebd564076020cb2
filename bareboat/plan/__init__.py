"""Inputs become a plan: cells, the jobs that make them, their Containerfiles and keys. Pure: no file, no Podman.

jobs           Cell, PlannedCopy, Platform, Plan, Selection, SkippedCell; RootJob, ProgramJob, ImageJob, TimedJob, Job;
               BaseSource, Bases, PLATFORMS, needs, is_timed
planner        PlanInputs, make_plan, check_selection, plan_cell, plan_named_cell, plan_roots, root_jobs,
               select_recipes, local_reference, published_sizes
choice         which samples and recipes are meant, for this room alone
crew           entrypoint_of, healthcheck_of, crew_fault, for this room alone
containerfile  render_containerfile, compile_stages, shipped_stage, COMPILE_STAGE, CRATES_STAGE, CA_SECRET,
               CARGO_SECRET, SYSROOT_CONTEXT
cargo_commands vendor_commands, lock_commands, metadata_commands, compile_commands, crates_commands, target_cache,
               sysroot_place; STD_PLACE, FETCH_HOME, AGENT_PLACE, CREDENTIALS_PLACE, VARIABLES_PLACE, PASSWORDS_VARIABLE
paste          paste_block
eject          eject, Form, Service
public         render_public, Known
workflow       render_workflow, list_cells
keys           root_key, pins_key, program_key, source_key, image_key, cell_key
"""
