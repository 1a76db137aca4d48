"""The published systems that are built from plugins, a module for each: what they claim, and what is found here.

A module's name is that of its study file and of its page, with `_` for `-`. It has

* `short()`, which computes its quick checks now, within a minute, and yields a `Finding` for each;
* `jobs()`, the arguments of every long run, in the order of their worth; none where the short checks say it all;
* `run(*job)`, one long run, which returns a dataclass of plain values: the job's arguments, what was found, `seconds`;
* `findings(rows)`, which yields a `Finding` for each claim that the long runs, read back as dictionaries, speak for.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What came of a claim.

    Attributes:
        claim: One sentence: of the paper, or of its equations.
        figure: What was found here: numbers, with spread and seeds where there are any.
        holds: Whether the claim holds by this figure; None where it does not say.
    """

    claim: str
    figure: str
    holds: bool | None

    @property
    def verdict(self) -> str:
        """The last column of the table."""
        return {True: "holds", False: "does NOT hold", None: "open"}[self.holds]
