"""What the page of one candidate is made of.

`tables`, `lineage`, `layers` and `genes` are pure: a record or a network in, a table out. `running` runs a network on a
sample. `stored` fetches networks and keeps what was run. `choosing`, `sections` and `watching` show the
parts of the page.
"""
