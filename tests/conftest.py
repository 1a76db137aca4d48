"""One torch thread in every test process: small networks are slower with more, and tests run side by side."""

import torch

torch.set_num_threads(1)
