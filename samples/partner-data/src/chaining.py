"""From this platform's token of a person to an answer of a resource that another organisation guards, as that person.

Three steps, each a page of a standard: token exchange here (RFC 8693), the JWT authorization grant at the partner (RFC 7523), and the call.
Together they are draft-ietf-oauth-identity-chaining.
"""

import os
from dataclasses import dataclass
from typing import Any

import httpx

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
SECONDS = 10


class Refused(Exception):
    """Somebody on the way said no, and why."""


@dataclass(frozen=True)
class Partner:
    """Another organisation: who signs its tokens, what it knows this app as, and the resource."""

    issuer: str
    client_id: str
    client_secret: str
    resource: str

    @staticmethod
    def from_environment() -> "Partner":
        return Partner(
            issuer=os.environ["PARTNER_ISSUER"],
            client_id=os.environ["PARTNER_CLIENT_ID"],
            client_secret=os.environ["PARTNER_CLIENT_SECRET"],
            resource=os.environ["PARTNER_RESOURCE"],
        )


async def ask_as(person_token: str, partner: Partner) -> dict[str, Any]:
    """What the resource answers to whom `person_token` (this app's access token of a person) belongs to."""
    async with httpx.AsyncClient(timeout=SECONDS) as http:
        grant = await exchange(http, person_token, partner.issuer)
        token = await redeem(http, grant, partner)
        response = await http.get(partner.resource, headers={"Authorization": f"Bearer {token}"})
    return answer_of(response, "The resource")


async def exchange(http: httpx.AsyncClient, person_token: str, audience: str) -> str:
    """Step 1, at the platform: a JWT on this person that is good at the partner's issuer alone, for two minutes."""
    issuer = os.environ["H2O_WAVE_OIDC_PROVIDER_URL"]
    response = await http.post(
        f"{issuer}/protocol/openid-connect/token",
        auth=(os.environ["H2O_WAVE_OIDC_CLIENT_ID"], os.environ["H2O_WAVE_OIDC_CLIENT_SECRET"]),
        data={
            "grant_type": TOKEN_EXCHANGE,
            "subject_token": person_token,
            "subject_token_type": ACCESS_TOKEN,
            "requested_token_type": JWT,
            "audience": audience,
        },
    )
    return answer_of(response, "The platform")["access_token"]


async def redeem(http: httpx.AsyncClient, grant: str, partner: Partner) -> str:
    """Step 2, at the partner's issuer: the JWT becomes an access token of theirs for whom they know that person as."""
    found = await http.get(f"{partner.issuer}/.well-known/openid-configuration")
    metadata = answer_of(found, "The partner's issuer")
    if metadata["issuer"] != partner.issuer:
        raise Refused("The partner's issuer calls itself by another name.")
    response = await http.post(
        metadata["token_endpoint"],
        auth=(partner.client_id, partner.client_secret),
        data={"grant_type": JWT_BEARER, "assertion": grant},
    )
    return answer_of(response, "The partner's issuer")["access_token"]


def answer_of(response: httpx.Response, who: str) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    if response.is_success and isinstance(answer, dict):
        return answer
    why = answer.get("error_description") or answer.get("error") if isinstance(answer, dict) else None
    raise Refused(f"{who} answered {response.status_code}: {why or response.reason_phrase}")
