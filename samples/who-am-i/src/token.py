"""What an access token says. The platform verified it; here its claims are only read."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any


@dataclass(frozen=True)
class Claims:
    """The claims of an access token that a person wants to see."""

    values: dict[str, Any]

    @property
    def username(self) -> str:
        return str(self.values.get("preferred_username") or "")

    @property
    def roles(self) -> list[str]:
        access = self.values.get("realm_access")
        return sorted(access.get("roles", [])) if isinstance(access, dict) else []

    @property
    def groups(self) -> list[str]:
        return sorted(self.values.get("groups") or [])

    @property
    def client(self) -> str:
        return str(self.values.get("azp") or self.values.get("client_id") or "")

    @property
    def expires_at(self) -> datetime | None:
        seconds = self.values.get("exp")
        return datetime.fromtimestamp(seconds, timezone.utc) if seconds else None


def read_claims(access_token: str | None) -> Claims:
    """Reads the payload of a JWT; no claims for an empty token or one of another form."""
    parts = (access_token or "").split(".")
    if len(parts) != 3:
        return Claims({})
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        values = json.loads(base64.urlsafe_b64decode(padded))
    except ValueError:
        return Claims({})
    return Claims(values if isinstance(values, dict) else {})
