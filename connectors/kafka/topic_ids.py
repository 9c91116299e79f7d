"""A topic's own id: a topic that was deleted and made anew has other offsets under the same name."""

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from connectors.kafka.errors import translate
from connectors.kafka.settings import KafkaSettings
from schemas.topics import Topic


def topic_id(settings: KafkaSettings, topic: Topic, timeout_s: float = 10.0) -> str:
    """The id that the cluster gave to `topic`. Raises KafkaError."""
    admin = AdminClient(settings.admin_config())
    answers = admin.describe_topics(TopicCollection([topic.name]), request_timeout=timeout_s)
    try:
        return str(answers[topic.name].result(timeout_s).topic_id)
    except KafkaException as error:
        raise translate(error) from error
