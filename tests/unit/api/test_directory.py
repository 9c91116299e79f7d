"""Projects, keys and Zoom apps as the log tells them."""

from dataclasses import replace

from api.directory import Directory
from schemas import ids
from schemas.records import ApiKey, Credential, CredentialKind, Project, Template, ZoomApp

KEY = ApiKey(key_id="key_1", project_id="proj_1", name="n", secret_sha256="d1", created_at_ms=1)


def opened(directory, digest):
    key = directory.key_of_digest(digest)
    return None if key is None else key.project_id


def app(app_id, project_id, client_id, secret="x"):
    return ZoomApp(
        zoom_app_id=app_id, project_id=project_id, client_id=client_id, client_secret_encrypted=secret, created_at_ms=1
    )


def directory_of(*apps):
    directory = Directory()
    for one in apps:
        directory.apply_zoom_app(one.zoom_app_id, one)
    return directory


def test_projects_are_listed_by_age():
    directory = Directory()
    for name, at in (("b", 2), ("a", 3), ("c", 1)):
        directory.apply_project(name, Project(project_id=name, name=name, created_at_ms=at))
    assert [project.project_id for project in directory.projects()] == ["c", "b", "a"]
    directory.apply_project("b", None)
    assert directory.project("b") is None


def test_a_key_opens_its_project_while_it_is_enabled_and_there():
    directory = Directory()
    assert opened(directory, "d1") is None
    directory.apply_api_key("key_1", KEY)
    assert opened(directory, "d1") == "proj_1"
    directory.apply_api_key("key_1", replace(KEY, secret_sha256="d2"))
    assert opened(directory, "d1") is None
    assert opened(directory, "d2") == "proj_1"
    directory.apply_api_key("key_1", replace(KEY, secret_sha256="d2", disabled=True))
    assert opened(directory, "d2") is None
    directory.apply_api_key("key_1", KEY)
    directory.apply_api_key("key_1", None)
    assert opened(directory, "d1") is None


def test_the_first_in_the_log_holds_a_client_id():
    directory = directory_of(app("zoa_1", "p1", "c"), app("zoa_2", "p2", "c"), app("zoa_3", "p2", "d"))
    assert directory.holder("c").zoom_app_id == "zoa_1"
    assert [one.zoom_app_id for one in directory.zoom_apps("p1")] == ["zoa_1"]
    assert [one.zoom_app_id for one in directory.zoom_apps("p2")] == ["zoa_3"]


def test_new_secrets_do_not_lose_the_place():
    directory = directory_of(app("zoa_1", "p1", "c"), app("zoa_2", "p2", "c"), app("zoa_1", "p1", "c", "new"))
    assert directory.holder("c").client_secret_encrypted == "new"


def test_a_deleted_app_gives_its_client_id_back():
    directory = directory_of(app("zoa_1", "p1", "c"), app("zoa_2", "p2", "c"))
    directory.apply_zoom_app("zoa_1", None)
    assert directory.holder("c").zoom_app_id == "zoa_2"


def test_a_credential_is_its_projects_alone():
    directory, kind = Directory(), CredentialKind.OPENAI

    def credential(project_id, of="p1"):
        return Credential(
            credential_id=ids.credential_id(of, kind), project_id=project_id, kind=kind, secret_encrypted="e",
            created_at_ms=1,
        )  # fmt: skip

    directory.apply_credential(ids.credential_id("p1", kind), credential("p1"))
    assert directory.credentials("p1") == [credential("p1")]
    assert directory.credential("p2", kind) is None
    directory.apply_credential(ids.credential_id("p2", kind), credential("p1", of="p2"))
    assert directory.credential("p2", kind) is None, "a record under another project's id is nobody's"
    directory.apply_credential(ids.credential_id("p1", kind), None)
    assert directory.credentials("p1") == []


class Watched(dict):
    """Looks, as a handler may from another thread, at each moment in which something is gone."""

    def __init__(self, entries, look):
        super().__init__(entries)
        self.look, self.seen = look, []

    def pop(self, *arguments):
        found = super().pop(*arguments)
        self.seen.append(self.look())
        return found


def test_what_is_written_again_is_never_missing_for_those_who_look_without_the_lock():
    """A session that was created in such a moment would have been kept for ever: its project had no term."""
    directory, kind = Directory(), CredentialKind.OPENAI
    project, template = Project(project_id="p1", name="n", created_at_ms=1), Template(project_id="p1", wishes="{}")
    credential = Credential(
        credential_id=ids.credential_id("p1", kind), project_id="p1", kind=kind, secret_encrypted="e", created_at_ms=1
    )
    writes = {
        "_projects": (directory.apply_project, "p1", project, lambda: directory.project("p1")),
        "_templates": (directory.apply_template, "p1", template, lambda: directory.template("p1")),
        "_credentials": (
            directory.apply_credential, credential.credential_id, credential, lambda: directory.credential("p1", kind),
        ),
        "_keys": (directory.apply_api_key, "key_1", KEY, lambda: opened(directory, "d1")),
        "_by_digest": (directory.apply_api_key, "key_1", KEY, lambda: opened(directory, "d1")),
    }  # fmt: skip
    for name, (apply, key, record, look) in writes.items():
        apply(key, record)
        watched = Watched(getattr(directory, name), look)
        setattr(directory, name, watched)
        apply(key, record)
        assert look() is not None
        assert None not in watched.seen, name
