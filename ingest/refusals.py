"""Why a session cannot even be tried; what each says goes into the session's history, so it holds nothing secret."""


class CannotJoin(Exception):
    """No attempt to connect makes sense; the text is a short code and what is wrong."""

    code = "cannot_join"

    def __str__(self) -> str:
        return f"{self.code}: {super().__str__()}"


class NoCredentials(CannotJoin):
    """The session's Zoom app cannot be used."""

    code = "no_credentials"


class UnusableRequest(CannotJoin):
    """Nothing can be asked of Zoom for this session."""

    code = "unusable_request"
