"""Time-stepped numerics: spikes, layers, and the builder of networks."""
