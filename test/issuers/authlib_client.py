"""A relying party written with Authlib: the code flow with PKCE, the ID token against the issuer's keys, a refresh, a revocation.

Prints the address for the browser, reads from stdin where the browser was sent back to, and prints what it found as JSON.
"""

import json
import sys

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

issuer, client_id, redirect_uri = sys.argv[1:4]
metadata = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
session = OAuth2Session(
    client_id,
    redirect_uri=redirect_uri,
    scope="openid profile offline_access",
    code_challenge_method="S256",
    token_endpoint_auth_method="none",
)
verifier, nonce = generate_token(64), generate_token(24)
address, state = session.create_authorization_url(
    metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
)
print(address, flush=True)

token = session.fetch_token(
    metadata["token_endpoint"],
    authorization_response=sys.stdin.readline().strip(),
    state=state,
    code_verifier=verifier,
)
keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
decoded = jwt.decode(token["id_token"], keys)
claims = CodeIDToken(
    decoded.claims,
    decoded.header,
    {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}},
    {"nonce": nonce, "client_id": client_id, "access_token": token["access_token"]},
)
claims.validate(leeway=10)
userinfo = session.get(metadata["userinfo_endpoint"], timeout=10).json()
fresh = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
access = fresh["access_token"]

session.revoke_token(
    metadata["revocation_endpoint"], token=token["refresh_token"], token_type_hint="refresh_token"
)
after = requests.post(
    metadata["token_endpoint"],
    data={"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token["refresh_token"]},
    timeout=10,
).json()
print(
    json.dumps(
        {
            "offlineAccess": "offline_access" in token["scope"].split(),
            "username": claims["preferred_username"],
            "sameSubject": userinfo["sub"] == claims["sub"],
            "accessToken": access,
            "afterRevocation": after.get("error"),
        }
    )
)
