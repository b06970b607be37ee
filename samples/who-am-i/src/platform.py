"""The platform as the official clients see it from inside of an instance."""

import os
from dataclasses import dataclass, field

import h2o_authn
import h2o_authn.discovery
import h2o_discovery

from .token import Claims, read_claims


@dataclass(frozen=True)
class PlatformView:
    environment: str = ""
    issuer: str = ""
    services: list[tuple[str, str]] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    problem: str = ""


def may_act_for_owner() -> bool:
    """The platform gives a handle for its owner's tokens to private instances only."""
    return bool(os.environ.get("H2O_CLOUD_CLIENT_PLATFORM_TOKEN"))


async def discover() -> PlatformView:
    """Finds the platform by H2O_CLOUD_ENVIRONMENT, which every instance has."""
    try:
        found = await h2o_discovery.discover_async()
    except Exception as error:  # A sample shows every problem instead of ending.
        return PlatformView(problem=f"{type(error).__name__}: {error}")
    return PlatformView(
        environment=found.environment.h2o_cloud_environment,
        issuer=found.environment.issuer_url,
        services=sorted((name, service.uri) for name, service in found.services.items()),
        clients=sorted(found.clients),
    )


async def refresh(refresh_token: str) -> Claims:
    """The visitor's own refresh token, used by this app's own OIDC client at the token endpoint of the issuer."""
    provider = h2o_authn.AsyncTokenProvider(
        refresh_token=refresh_token,
        client_id=os.environ["H2O_WAVE_OIDC_CLIENT_ID"],
        client_secret=os.environ["H2O_WAVE_OIDC_CLIENT_SECRET"],
        # Named, because H2O_CLOUD_TOKEN_ENDPOINT_URL is for the owner's tokens and would win.
        token_endpoint_url=os.environ["H2O_WAVE_OIDC_PROVIDER_URL"] + "/protocol/openid-connect/token",
    )
    return read_claims(str(await provider.token()))


async def call_as_owner() -> Claims:
    """Gets an access token of the instance's owner, as every official client library does."""
    found = await h2o_discovery.discover_async()
    provider = h2o_authn.discovery.create_async(found)
    token = await provider.token()
    return read_claims(str(token))
