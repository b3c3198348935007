"""One cell in one child process: view, run, clock, memory, environment."""
