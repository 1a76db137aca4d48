"""What is measured while a network runs: operations, spikes, energy; and the hypervolume of a front."""
