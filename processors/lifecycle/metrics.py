"""What lifecycle counts."""

from connectors.host.metrics import counter

FACTS = counter("rtms_lifecycle_facts_total", "facts folded", ["kind"])
CHANGES = counter("rtms_lifecycle_changes_total", "session changes written", ["state"])
REFUSED = counter("rtms_lifecycle_refused_total", "facts that became dead letters")
UNREADABLE = counter("rtms_lifecycle_unreadable_total", "records of the state topic that are no states")
ABORTED = counter("rtms_lifecycle_aborted_total", "transactions that were folded again")
