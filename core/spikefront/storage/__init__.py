"""The record of studies in a database: schema, queries, migrations.

`Database.open` opens a database for writing, `Database.read_only` opens one to look at; both take a file or a database
URL. `StudyStore` writes one study, each step in one transaction. `queries` answers questions with the frozen values of
`rows`; nothing that is bound to the database leaves this package. `maintenance` upgrades and copies a database,
`integrity` checks it. `schema` has the tables, `migration` their versions, `leases` who may write, `sqlite` and
`postgresql` all that is special to them, and `blobs` the check of binary content.
"""

from spikefront.components.algorithm import StudyObjective
from spikefront.storage import integrity, maintenance, queries
from spikefront.storage.database import Database
from spikefront.storage.rows import (
    Archive,
    AskRow,
    AttemptRow,
    EvaluationDetail,
    EvaluationRow,
    Provenance,
    Purpose,
    Restart,
    Role,
    State,
    StudyRow,
)
from spikefront.storage.store import StudyStore

__all__ = [
    "Archive",
    "AskRow",
    "AttemptRow",
    "Database",
    "EvaluationDetail",
    "EvaluationRow",
    "Provenance",
    "Purpose",
    "Restart",
    "Role",
    "State",
    "StudyObjective",
    "StudyRow",
    "StudyStore",
    "integrity",
    "maintenance",
    "queries",
]
