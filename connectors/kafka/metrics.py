"""What the Kafka connector counts."""

from connectors.host.metrics import counter, gauge

DELIVERED = counter("rtms_kafka_delivered_records", "Records acknowledged by all in-sync replicas.", ["topic"])
DELIVERY_FAILED = counter("rtms_kafka_delivery_failed_records", "Records that Kafka did not take.", ["topic", "code"])
CALLBACK_FAILURES = counter("rtms_kafka_callback_failures", "Delivery callbacks that raised.")
QUEUED = gauge("rtms_kafka_queued_records", "Records in the local send queue.", ["producer"])
STANDING = gauge(
    "rtms_kafka_standing_partitions",
    "Partitions of which nothing was acknowledged for 15 s, though records wait.",
    ["client"],
)
STRANDED = counter(
    "rtms_kafka_stranded", "Times that a client knew no broker any more and was given them back.", ["client"]
)
BROKERS_UP = gauge("rtms_kafka_brokers_up", "1 while the client talks to a broker.", ["client"])
LAG = gauge("rtms_kafka_lag_records", "Offsets between what was read of the held partitions and their ends.", ["topic"])
OUT_OF_RANGE = counter("rtms_kafka_out_of_range", "Reads that retention had overtaken.", ["topic"])
READER_FAILURES = counter("rtms_kafka_reader_failures", "Records that a view or a tail could not take.", ["client"])
DEAD_LETTERS = counter("rtms_kafka_dead_letters", "Inputs put aside as unusable.", ["topic"])
