"""Reads what the user wrote into frozen values: recipes, toolchains, provisions, samples and the lock.

Every problem of every file is reported at once. For others to use:

load_recipes  load_recipes, find_shared_targets
recipe        RecipeBook, Recipe, Compile, Copy, Runtime, Published, Provision, Toolchain; CREW
schema        recipe_schema, metadata_schema
reference     reference_page
sysroot       Sysroot, read_sysroot
base          Base, Bootstrap, RootBootstrap, Debian, Distroless, Alpine, SameAs
sample        Sample, SOURCES, METADATA, PROXY_PORT
cargo         Cargo
ladder        Step, PLAIN, read_ladder, choose_steps, path_to
variants      climb
write_metadata write_metadata, table_of, merge
load_samples  load_samples, load_crate, enable, give_network, Asker
cargo_metadata find_workspace, read_metadata, choose_programs, root_source; CargoMetadata, Choice
manifest      crate_names
mend          Mend
toolchain_packages extend_toolchains, is_extended
expectation   Expectation, Served, Serving, AS_IT_STANDS
crew          load_crew, crew_names
crate_files   NOT_SOURCE, source_files, read_source, source_digest
extent        Extent, find_extent, nothing_ignored
git_ignored   ignored_by_git
rustflags     RustFlags
rust_toolchain is_asked_for
limits        Limits, LIMITS, limits_of
expected      ExpectedFailure
lock          read_lock, write_lock, moved, pinned_reference, pins_of; Lock, Pinned
tomlfile      did_you_mean, read_toml, spelt, validate
"""
