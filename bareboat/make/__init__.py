"""Jobs that make something: root images, compiled programs, what comes aboard, and the shipped image.

context        Known and Finder, what may be looked up; JobContext, what a job may use; RootImage, Program, Measured,
               Output, Outputs, what jobs hand on; PROCESSORS, the lock of those who are busy or must not be disturbed
standing       find_root, find_program, find_image_key and keep_image_key, which look up what an earlier run made;
               bootstrap_key
compiler       compiler_of
root           make_root
program        make_program; in_a_shell, commands as the first process of a container
compile_times  read_compiles, how long a program takes to compile
twin           make_twin
sources        program_name, which tells crates of one name apart; copy_sources
build_program  a compile by a build, for this room alone
copies         fetch_copies, owners_in, CopiedEntry
image          ImageContents, gather_contents, ship_image, assemble, image_config, image_entries
base_archive   keep_base, open_base, find_base, known_layers
load           load_image, saved_image, scratch_archive
fetch_secrets  fetch_secrets, for this room alone
credentials    fetch_with_credentials
"""
