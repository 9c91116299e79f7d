"""What the chart's documents are made from is read as it was written."""

from __future__ import annotations

from scripts.chart.catalogue import groups
from scripts.chart.values_reference import Value, table, values

VALUES = """\
# Not for the table.
image:
  # -- Where it is;
  # in two lines.
  tag: ""
# -- A branch | with a bar
config:
  kafka: {}
  count: 3
"""


def test_leaves_and_described_branches_are_rows() -> None:
    assert list(values(VALUES)) == [
        Value("image.tag", '`""`', "Where it is; in two lines."),
        Value("config", "", "A branch \\| with a bar"),
        Value("config.kafka", "`{}`", ""),
        Value("config.count", "`3`", ""),
    ]
    assert table(VALUES).splitlines()[2] == '| `image.tag` | `""` | Where it is; in two lines. |'


def test_every_settings_class_of_a_deployed_process_is_a_group() -> None:
    names = {group.name for group in groups()}
    assert {"kafka", "clickhouse", "objects", "api", "ingest", "zoom", "secrets", "health", "log"} <= names
    assert "simulator" not in names


def test_secrets_are_known_as_such() -> None:
    (kafka,) = [group for group in groups() if group.name == "kafka"]
    secrets = {setting.name for setting in kafka.settings if setting.is_secret}
    assert secrets == {"registry_password", "ssl_key_password", "sasl_password", "oauth_client_secret"}
    assert all("default" not in setting.schema for setting in kafka.settings)
