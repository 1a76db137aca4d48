"""torchvision can be imported beside the torch that is installed, whatever it was built for."""

import subprocess
import sys

import torch

from spikefront.vision import torchvision


def test_data_sets_models_and_transforms_work():
    package = torchvision()
    assert package is torchvision()
    assert hasattr(package.datasets, "FashionMNIST")
    transform = package.transforms.CenterCrop(4)
    assert transform(torch.zeros(3, 8, 8)).shape == (3, 4, 4)
    network = package.models.resnet18(weights=None, num_classes=10)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_a_fresh_process_imports_it_after_a_failed_import():
    code = """
try:
    import torchvision
except RuntimeError:
    pass
from spikefront.vision import torchvision
print(torchvision().datasets.MNIST.__name__)
import torchvision.transforms.v2
"""
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("MNIST\n", "")
