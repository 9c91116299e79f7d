"""The lock leaves out what is omitted and what only the omitted needs, and nothing else."""

from __future__ import annotations

from packaging.requirements import Requirement

from scripts.lock import line, normalised, reachable

RESOLVED = {
    "app": {"requires_dist": ["heavy", "Light_Thing>=1", "extra-only; extra == 'more'", "old; python_version < '3.9'"]},
    "heavy": {"requires_dist": ["heavy-part", "shared"]},
    "heavy-part": {},
    "shared": {},
    "light-thing": {"requires_dist": ["shared", "backport; python_version < '3.12'"]},
    "backport": {},
    "extra-only": {},
    "old": {},
}


def test_an_omitted_distribution_takes_along_what_only_it_needs() -> None:
    assert reachable([Requirement("app")], RESOLVED, {"heavy"}) == {"app", "light-thing", "shared", "backport"}


def test_extras_bring_their_own() -> None:
    assert "extra-only" in reachable([Requirement("app[more]")], RESOLVED, set())


def test_names_have_one_spelling() -> None:
    assert normalised("Backports.Zstd_x") == "backports-zstd-x"


def test_what_is_for_some_machines_is_locked_for_those() -> None:
    roots = [Requirement("app"), Requirement("Light_Thing>=1; sys_platform == 'linux'")]
    assert line("app", "2.0", roots) == "app==2.0\n"
    assert line("light-thing", "1.1", roots) == 'light-thing==1.1 ; sys_platform == "linux"\n'
