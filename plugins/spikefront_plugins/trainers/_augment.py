"""Augmentation of batches of images, on tensors, without work per sample."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def augmented(images: Tensor, shift: int, flip: bool, generator: torch.Generator) -> Tensor:
    """Return images (B, C, H, W), each moved by up to `shift` pixels (zeros enter) and mirrored with chance 1/2."""
    if flip:
        mirrored = torch.rand(len(images), generator=generator) < 0.5
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    if shift:
        height, width = images.shape[2:]
        padded = functional.pad(images, (shift,) * 4)
        down, right = torch.randint(2 * shift + 1, (2, len(images), 1, 1), generator=generator)
        rows = down + torch.arange(height)[None, :, None]
        columns = right + torch.arange(width)[None, None, :]
        batch = torch.arange(len(images))[:, None, None]
        images = padded.permute(0, 2, 3, 1)[batch, rows, columns].permute(0, 3, 1, 2).contiguous()
    return images
