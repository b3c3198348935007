"""What a cell costs: time, memory, energy, what the host took."""
