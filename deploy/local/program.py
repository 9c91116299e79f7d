"""The local stack as a program: its name and what it reads from the environment."""

from connectors.host.program import Program
from connectors.host.settings import LogSettings
from deploy.local.settings import LocalSettings

PROGRAM = Program("deploy.local", "local", "The whole pipeline on one machine.", (LocalSettings, LogSettings))
