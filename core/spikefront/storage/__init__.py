"""The record of studies in a database: schema, queries, migrations.

`Database.open` opens a database for writing, `Database.read_only` opens one to look at; both take a file or a database
URL. `StudyStore` writes one study, each step in one transaction. `queries` answers questions with the frozen values of
`rows`; nothing that is bound to the database leaves this package. `frames` are whole studies as tables, and `tags` the
words that people give to candidates. `maintenance` upgrades and copies a database, `integrity` checks it. `schema` has
the tables, `migration` their versions, `leases` who may write, `sqlite` and `postgresql` all that is special to them,
and `blobs` the check of binary content.
"""

from spikefront.components.algorithm import StudyObjective
from spikefront.storage import frames, integrity, maintenance, queries, tags
from spikefront.storage.database import DEFAULT_DATABASE, Database
from spikefront.storage.rows import (
    Archive,
    AskRow,
    AttemptRow,
    EvaluationDetail,
    EvaluationRow,
    Holder,
    Provenance,
    Purpose,
    Restart,
    Role,
    State,
    StudyRow,
)
from spikefront.storage.store import StudyStore

__all__ = [
    "DEFAULT_DATABASE",
    "Archive",
    "AskRow",
    "AttemptRow",
    "Database",
    "EvaluationDetail",
    "EvaluationRow",
    "Holder",
    "Provenance",
    "Purpose",
    "Restart",
    "Role",
    "State",
    "StudyObjective",
    "StudyRow",
    "StudyStore",
    "frames",
    "integrity",
    "maintenance",
    "queries",
    "tags",
]
