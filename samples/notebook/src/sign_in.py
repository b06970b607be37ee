"""Signs the owner of the instance in, and nobody else: OpenID Connect with the instance's own client."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from urllib.parse import urlencode

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.auth.login import LoginFormHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPServerRequest
from traitlets import default

# What is under way, between leaving for the sign-in page and coming back.
ATTEMPT = "notebook_sign_in"
ATTEMPT_SECONDS = 600


class Handler(LoginFormHandler):
    """What both steps share."""

    @property
    def issuer(self) -> str:
        return os.environ["H2O_WAVE_OIDC_PROVIDER_URL"]

    @property
    def redirect_uri(self) -> str:
        return f"{origin_of(self.request)}{url_path_join(self.base_url, '_auth/callback')}"


class SignIn(Handler):
    """Sends the visitor to the issuer, which knows them already."""

    @allow_unauthenticated
    async def get(self) -> None:
        attempt = {
            "state": secrets.token_urlsafe(24),
            "nonce": secrets.token_urlsafe(24),
            "verifier": secrets.token_urlsafe(48),
            "next": self.get_argument("next", default=self.base_url),
        }
        self.set_signed_cookie(
            ATTEMPT,
            json.dumps(attempt),
            expires_days=ATTEMPT_SECONDS / 86_400,
            path=self.base_url,
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
        )
        challenge = hashlib.sha256(attempt["verifier"].encode()).digest()
        query = {
            "response_type": "code",
            "client_id": os.environ["H2O_WAVE_OIDC_CLIENT_ID"],
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile",
            "state": attempt["state"],
            "nonce": attempt["nonce"],
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        self.redirect(f"{self.issuer}/protocol/openid-connect/auth?{urlencode(query)}")

    @allow_unauthenticated
    def post(self) -> None:
        raise web.HTTPError(405)


class Callback(Handler):
    """Where the issuer sends the visitor back to: the owner gets a session."""

    @allow_unauthenticated
    async def get(self) -> None:
        value = self.get_signed_cookie(ATTEMPT, max_age_days=ATTEMPT_SECONDS / 86_400)
        attempt = json.loads(value) if value else {}
        self.clear_cookie(ATTEMPT, path=self.base_url)
        state = self.get_argument("state", default="")
        if not attempt or not hmac.compare_digest(attempt["state"], state):
            raise web.HTTPError(400, "This sign-in is not the one that was begun in this browser. Open the notebook again.")
        if self.get_argument("error", default=""):
            raise web.HTTPError(403, f"The sign-in was refused: {self.get_argument('error_description', default='')}")
        claims = await self.exchange(self.get_argument("code"), attempt)
        username = claims.get("preferred_username", "")
        if username != os.environ["H2O_CLOUD_INSTANCE_OWNER"]:
            raise web.HTTPError(403, "A notebook can be opened by the owner of its instance only: it runs code as them.")
        name = claims.get("name") or username
        self.identity_provider.set_login_cookie(self, User(username=username, name=name, display_name=name))
        self._redirect_safe(attempt["next"])

    @allow_unauthenticated
    def post(self) -> None:
        raise web.HTTPError(405)

    async def exchange(self, code: str, attempt: dict) -> dict:
        """The claims of the ID token. It comes straight from the issuer, so its signature need not be checked (OIDC Core §3.1.3.7)."""
        client = f"{os.environ['H2O_WAVE_OIDC_CLIENT_ID']}:{os.environ['H2O_WAVE_OIDC_CLIENT_SECRET']}"
        answer = await AsyncHTTPClient().fetch(
            f"{self.issuer}/protocol/openid-connect/token",
            method="POST",
            headers={"Authorization": "Basic " + base64.b64encode(client.encode()).decode()},
            body=urlencode(
                {
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": self.redirect_uri,
                    "code_verifier": attempt["verifier"],
                }
            ),
        )
        payload = json.loads(answer.body)["id_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if (
            claims["iss"] != self.issuer
            or os.environ["H2O_WAVE_OIDC_CLIENT_ID"] not in audience
            or claims["exp"] < time.time()
            or not hmac.compare_digest(claims.get("nonce", ""), attempt["nonce"])
        ):
            raise web.HTTPError(403, "The sign-in service gave a token that is not meant for this notebook.")
        return claims


class OwnerOnly(IdentityProvider):
    """No token, no password: a session by sign-in, or nothing."""

    login_handler_class = SignIn
    # The router ties a cookie of this name to the platform's session in the browser: it is worth nothing to the next person there.
    cookie_name = "oidcsession"

    @default("token")
    def _no_token(self) -> str:
        return ""

    def get_handlers(self) -> list:
        return [*super().get_handlers(), (r"/_auth/callback", Callback)]


def origin_of(request: HTTPServerRequest) -> str:
    return f"{request.protocol}://{request.host}"
