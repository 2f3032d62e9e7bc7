"""One module a command: ``run(argv, settings, db, clock, out)`` answers the exit code."""
