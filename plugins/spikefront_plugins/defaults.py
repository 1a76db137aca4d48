"""The components that serve where a study file names none."""

from spikefront import hookimpl


@hookimpl
def spikefront_defaults() -> dict[str, tuple[str, ...]]:
    """Return kind -> names; for operators, the order says which serves a gene first."""
    return {
        "network": ("mlp",),
        "neuron": ("lif",),
        "surrogate": ("atan",),
        "synapse": ("dense",),
        "coder": ("direct",),
        "encoding": ("direct",),
        "trainer": ("surrogate-gradient",),
        "algorithm": ("nsga2",),
        "executor": ("local",),
        "exporter": ("safetensors", "csv"),
        "operator": (
            "uniform-sampling",
            *("sbx", "blend", "splice", "uniform"),
            *("polynomial", "flip", "array-gaussian", "edit"),
        ),
    }
