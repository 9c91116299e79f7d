"""Where the App Session API is found. A session is also a bot: most routes exist under both."""

APP_SESSIONS = "/api/v1/app_sessions"
BOTS = "/api/v1/bots"

APP_SESSION = f"{APP_SESSIONS}/{{session_id}}"
BOT = f"{BOTS}/{{session_id}}"
