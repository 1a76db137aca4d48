"""The record of studies in a database: schema, queries, migrations."""
