"""The record of studies in a database: schema, queries, migrations.

`Database.open` opens a database for writing and brings its tables up to date, `Database.read_only` opens one to look
at; both take a file or a database URL. `StudyStore` writes one study, each step in one transaction. `queries` answers
questions with the frozen dataclasses of `rows`; nothing that is bound to the database leaves this package. `schema` has
the tables, `migration` their versions, `leases` who may write, `sqlite` all that is special to SQLite, and `blobs` the
check of binary content.
"""

from spikefront.storage import queries
from spikefront.storage.database import Database
from spikefront.storage.rows import (
    AskRow,
    AttemptRow,
    EvaluationDetail,
    EvaluationRow,
    Provenance,
    Purpose,
    Restart,
    Role,
    State,
    StudyObjective,
    StudyRow,
)
from spikefront.storage.store import StudyStore

__all__ = [
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
    "queries",
]
