"""Built-in synapses."""
