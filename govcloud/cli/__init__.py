"""The command line: argv in, workflow called, Views out. One file per verb; a file's `command` is found by its name."""
