"""One file a verb of the command line; each has `main(args)`, which returns the exit status."""
