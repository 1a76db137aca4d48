"""The regularisers of genetic encodings: spectral entropy, and the difference from the elite."""

import numpy as np
import pytest
import torch
from torch import nn

from spikefront import Fitness
from spikefront.components.fitness import Context
from spikefront.components.trainer import Fitted
from spikefront.genome import Genome
from spikefront.measure.recording import Recording
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront_plugins.encodings._genes import gene_vectors_of
from spikefront_plugins.encodings.genetic import Genetic
from spikefront_plugins.fitness.gene_entropy import GeneEntropy, entropy
from spikefront_plugins.fitness.temporal_difference import TemporalDifference
from spikefront_plugins.synapses.dense import Dense


def context(phenotype=None, genome=None, elite=None):
    return Context(Genome(genome or {}), None, None, Fitted(phenotype), {}, Recording(), Streams(0), elite)


def network(*matrices, variant="per-tap"):
    """Return a 3x3 or 1x1 convolution whose interactions are `matrices`."""
    array = np.stack([np.asarray(matrix, dtype=np.float32) for matrix in matrices])
    kernel = int(len(array) ** 0.5)
    generator = torch.Generator().manual_seed(0)
    layers = nn.Sequential(Dense().conv(64, 64, kernel, 1, 0, False, generator))
    encoding = Genetic(genes=array.shape[-1], variant=variant)
    encoding.apply(layers, {"interactions": array[None]}, generator)
    return layers


def test_the_entropy_of_the_identity_is_one_and_of_rank_one_zero():
    assert entropy(torch.eye(16)) == pytest.approx(1)
    assert entropy(3 * torch.eye(5)) == pytest.approx(1)
    assert entropy(torch.outer(torch.arange(1.0, 9), torch.arange(2.0, 10))) == pytest.approx(0, abs=1e-6)


def test_the_entropy_of_small_matrices_is_defined():
    assert entropy(torch.zeros(4, 4)) == 0
    assert entropy(torch.tensor([[2.0]])) == 1
    assert entropy(torch.zeros(1, 1)) == 0


def test_the_entropy_of_a_known_spectrum():
    p = np.array([4, 2, 1, 1]) / 8
    assert entropy(torch.diag(torch.tensor([1.0, -4.0, 2.0, 1.0]))) == pytest.approx(-(p * np.log(p)).sum() / np.log(4))


@pytest.mark.parametrize(("genes", "expected"), [(16, 0.919), (32, 0.936), (64, 0.947), (128, 0.955)])
def test_the_entropy_of_gaussian_matrices(genes, expected):
    rng = np.random.default_rng(0)
    values = [entropy(torch.tensor(rng.normal(size=(genes, genes)))) for _ in range(10)]
    assert np.mean(values) == pytest.approx(expected, abs=0.005)


def test_gene_entropy_is_one_minus_the_mean_over_taps():
    rank_one = np.zeros((4, 4))
    rank_one[0, 0] = 1
    assert GeneEntropy().measure(context(network(np.eye(4)))) == pytest.approx(0, abs=1e-12)
    assert GeneEntropy().measure(context(network(rank_one))) == pytest.approx(1)
    mixed = network(*[np.eye(4)] * 6, *[rank_one] * 3)
    assert GeneEntropy().measure(context(mixed)) == pytest.approx(1 / 3)


def test_gene_entropy_is_the_mean_over_patterns_of_all_parts():
    array = np.zeros((2, 4, 4, 4), dtype=np.float32)
    array[0, :] = np.eye(4)
    array[1, :, 0, 0] = 1
    array[1, 0] = np.eye(4)
    generator = torch.Generator().manual_seed(0)
    layers = nn.Sequential(*(Dense().conv(16, 16, 3, 1, 0, False, generator) for _ in range(2)))
    Genetic(genes=4, patterns=4, parts=2).apply(layers, {"interactions": array}, generator)
    assert GeneEntropy().measure(context(layers)) == pytest.approx(3 / 8)


def test_gene_entropy_may_look_at_the_gene_vectors():
    built = network(np.eye(4))
    y, x = gene_vectors_of(built)
    nn.init.zeros_(y)
    nn.init.ones_(y[:, 0])
    with torch.no_grad():
        x.copy_(torch.eye(64, 4))
    assert GeneEntropy(of="encodings").measure(context(built)) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("phenotype", [None, {"currents": [1.0]}, nn.Linear(3, 3, device="meta")])
def test_gene_entropy_means_nothing_without_a_genetic_encoding(phenotype):
    assert GeneEntropy().measure(context(phenotype)) is None
    assert GeneEntropy(of="encodings").measure(context(phenotype)) is None


def difference(own, best):
    path = "encoding.interactions"
    return TemporalDifference().measure(context(genome={path: own}, elite=Genome({path: best})))


@pytest.mark.parametrize("d", [0.05, 0.3, 0.8])
def test_noise_of_a_given_size_gives_that_difference(d):
    rng = np.random.default_rng(1)
    best = rng.normal(0, 1 / 32, (1, 32, 32))
    assert difference(best + rng.normal(0, d / 32, best.shape), best) == pytest.approx(d, rel=0.07)


def test_the_difference_is_relative_to_the_elite_and_at_most_one():
    ones = np.ones((9, 4, 4))
    assert difference(ones, ones) == 0
    assert difference(1.5 * ones, ones) == pytest.approx(0.5)
    assert difference(1.5 * ones, 2 * ones) == pytest.approx(0.25)
    assert difference(-ones, ones) == 1
    assert difference(ones, 0 * ones) == 1
    assert difference(0 * ones, 0 * ones) == 0


def test_the_difference_means_nothing_without_an_elite_or_evolved_interactions():
    genome = {"encoding.interactions": np.ones((1, 2, 2))}
    term = TemporalDifference()
    assert term.measure(context(genome=genome)) is None
    assert term.measure(context(genome=genome, elite=Genome({"encoding.use": "direct"}))) is None
    assert term.measure(context(genome={"encoding.use": "direct"}, elite=Genome(genome))) is None


def test_they_come_through_the_hook_with_their_directions():
    assert load().get(Fitness, "gene-entropy") is GeneEntropy
    assert load().get(Fitness, "temporal-difference") is TemporalDifference
    assert (GeneEntropy.direction, GeneEntropy.uses_elite) == ("minimize", False)
    assert (TemporalDifference.direction, TemporalDifference.uses_elite) == ("maximize", True)
