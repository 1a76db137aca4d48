"""Linear genetic programs: instructions over registers that hold what layers give, and what of them counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from spikefront_plugins.networks._stack import Width

Register = int
OUTPUT: Register = 0
"""The register that the readout reads."""

BINARY = frozenset({"skip-add", "concat"})
"""Operations that read the register `y` as well."""


class Instruction(BaseModel):
    """One line of a program: register `to` becomes op(`x`, `y`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: Literal["conv3", "conv5", "pool", "dense", "skip-add", "concat", "neuron"] = Field(description="what is done")
    to: Register = Field(OUTPUT, ge=0, le=255, description="register that is written")
    x: Register = Field(OUTPUT, ge=0, le=255, description="register that is read")
    y: Register = Field(OUTPUT, ge=0, le=255, description="register that skip-add and concat read beside")
    width: Width = Field(32, description="channels of a convolution, outputs of dense")

    @property
    def reads(self) -> frozenset[Register]:
        """The registers that it reads."""
        return frozenset({self.x, self.y}) if self.op in BINARY else frozenset({self.x})


def effective(program: Sequence[Instruction]) -> list[Instruction]:
    """Return the instructions that the output depends on, without introns.

    Source: structural introns, Brameier and Banzhaf, IEEE Transactions on Evolutionary Computation 5 (2001).
    """
    needed, found = {OUTPUT}, list[Instruction]()
    for instruction in reversed(program):
        if instruction.to in needed:
            needed = (needed - {instruction.to}) | instruction.reads
            found.append(instruction)
    return found[::-1]
