"""Where a candidate came from, and what came of it: ancestors, parents and children from the table of asks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Lineage:
    """A candidate's ancestors.

    Attributes:
        nodes: A row for each genome, indexed by hash: the columns of `frames.asks`, "back" (0 for the candidate, 1 for
            its parents, ...) and "place" (where it stands in the column of its generation, around 0).
        edges: Hashes, columns "child" and "parent".
        complete: Whether all ancestors are there.
    """

    nodes: pd.DataFrame
    edges: pd.DataFrame
    complete: bool


def first_asks(asks: pd.DataFrame) -> pd.DataFrame:
    """Return the first ask of each genome, indexed by hash, with the first candidate that it became."""
    first = asks.drop_duplicates("genome").set_index("genome")
    became = asks.dropna(subset="id").drop_duplicates("genome").set_index("genome")["id"]
    tried = asks[asks["attempts"] > 0].groupby("genome")["attempts"].sum()
    return first.assign(id=became, attempts=tried.reindex(first.index, fill_value=0))


def ancestors(first: pd.DataFrame, genome: str, back: int, most: int = 80) -> Lineage:
    """Return a genome's ancestors.

    Args:
        first: From `first_asks`.
        genome: Hash of the candidate's genome.
        back: How many steps to go back.
        most: Number of genomes after which no further step is taken.
    """
    made_from: dict[str, list[str]] = dict(zip(first.index, first["parents"], strict=True))
    found = {genome: 0}
    edges: list[tuple[str, str]] = []
    level, step = [genome], 0
    while level and step < back and len(found) < most:
        step += 1
        above: list[str] = []
        for child in level:
            for parent in dict.fromkeys(made_from[child]):
                if parent in made_from and parent != child:
                    edges.append((child, parent))
                    if parent not in found:
                        found[parent] = step
                        above.append(parent)
        level = above
    complete = not any(parent in made_from for one in level for parent in made_from[one])
    nodes = first.loc[list(found)].assign(back=list(found.values()))
    lines = pd.DataFrame(edges, columns=["child", "parent"])
    return Lineage(nodes.assign(place=_places(nodes, lines)), lines, complete)


def _places(nodes: pd.DataFrame, edges: pd.DataFrame) -> pd.Series[float]:
    """Return where each node stands in its generation: near its children, evenly apart, around 0."""
    places = pd.Series(0.0, index=nodes.index)
    for generation in sorted(nodes["generation"].unique(), reverse=True):
        column = nodes.index[nodes["generation"] == generation]
        children = edges[edges["parent"].isin(column)]
        wanted = places.reindex(children["child"]).groupby(children["parent"].to_numpy()).mean()
        order = wanted.reindex(column).fillna(0.0).argsort(kind="stable").to_numpy()
        places[column[order]] = np.arange(len(column)) - (len(column) - 1) / 2
    return places


def kin(first: pd.DataFrame, genome: str) -> pd.DataFrame:
    """Return parents and children of a genome: the columns of `first_asks`, and "kin", "parent" or "child"."""
    made_from: list[str] = first["parents"].loc[genome]
    parents = [one for one in dict.fromkeys(made_from) if one in first.index and one != genome]
    exploded = first["parents"].explode()
    children = exploded.index[(exploded == genome).to_numpy()].unique().difference([genome], sort=False)
    named = [first.loc[parents].assign(kin="parent"), first.loc[children].assign(kin="child")]
    return pd.concat([table for table in named if len(table)] or [first.iloc[:0].assign(kin="")])


def kin_failures(relatives: pd.DataFrame) -> str:
    """Return in a sentence what failed among parents and children."""
    parents = int((relatives["kin"] == "parent").sum())
    children = int((relatives["kin"] == "child").sum())
    whole = f"It has {_count(parents, 'parent', 'parents')} and {_count(children, 'child', 'children')}"
    failed = relatives["failure"].dropna()
    tries = int(relatives["attempts"].sum())
    kinds = ", ".join(f"{number} {kind}" for kind, number in failed.value_counts().items())
    said = f"{len(failed)} of them failed ({kinds})" if len(failed) else "none of them failed"
    again = f", and {_count(tries, 'failed try was', 'failed tries were')} made again" if tries else ""
    return f"{whole}; {said}{again}."


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
