"""What lifecycle counts."""

from connectors.host.metrics import counter, gauge

FACTS = counter("rtms_lifecycle_facts_total", "facts folded", ["kind"])
CHANGES = counter("rtms_lifecycle_changes_total", "session changes written", ["state"])
REFUSED = counter("rtms_lifecycle_refused_total", "facts that became dead letters")
UNREADABLE = counter("rtms_lifecycle_unreadable_total", "records of the state topic that are no states")
STATES = gauge("rtms_lifecycle_states", "sessions whose state is held, of the partitions assigned")
ARCHIVED = counter("rtms_lifecycle_archived_total", "states that left the log, as ClickHouse has them")
ABORTED = counter("rtms_lifecycle_aborted_total", "transactions that were folded again")
