"""What each method minimises, in array-API arithmetic; loaded only where a cell is run."""
