"""An optimiser's step without what torch spends around it, which costs a tiny network more than the update itself."""

from __future__ import annotations

import torch
from torch.optim.adamw import adamw


def forget_gradients(optimizer: torch.optim.Optimizer) -> None:
    """Do what `optimizer.zero_grad(set_to_none=True)` does."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None


@torch.no_grad()
def update(optimizer: torch.optim.Optimizer) -> None:
    """Do what `optimizer.step()` does, but for its hooks; AdamW in its functional form, with the same result.

    The state stays in the optimiser, as its own step keeps it. The first step is its own.
    """
    if not isinstance(optimizer, torch.optim.AdamW):
        optimizer.step()
        return
    groups = []
    for group in optimizer.param_groups:
        parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
        states = [optimizer.state[parameter] for parameter in parameters]
        groups.append((group, parameters, states))
    if not all(all(states) for _, _, states in groups):
        optimizer.step()
        return
    for group, parameters, states in groups:
        beta1, beta2 = group["betas"]
        adamw(
            parameters,
            [parameter.grad for parameter in parameters],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )
