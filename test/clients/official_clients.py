"""Uses the unmodified h2o-cloud-discovery and h2o-authn in one way; prints what they found as JSON.

Arguments: sync|async, argument|address|environment|config. The address of Haic and the token come from the environment, so that no
secret is on a command line.
"""

import asyncio
import base64
import json
import os
import sys

import h2o_authn.discovery
import h2o_discovery


def where(source):
    if source == "argument":
        return {"environment": os.environ["TEST_URL"]}
    if source == "address":
        return {"discovery_address": os.environ["TEST_URL"] + "/.ai.h2o.cloud.discovery"}
    return {}


def claims(token):
    payload = str(token).split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def report(discovery, token):
    return {
        "environment": discovery.environment.h2o_cloud_environment,
        "issuer": discovery.environment.issuer_url,
        "clients": {name: client.oauth2_client_id for name, client in discovery.clients.items()},
        "services": sorted(discovery.services),
        "username": claims(token)["preferred_username"],
        "audience": claims(token)["aud"],
        "party": claims(token)["azp"],
    }


def run_sync(source):
    discovery = h2o_discovery.discover(**where(source))
    return report(discovery, h2o_authn.discovery.create(discovery)())


async def run_async(source):
    discovery = await h2o_discovery.discover_async(**where(source))
    return report(discovery, await h2o_authn.discovery.create_async(discovery)())


mode, source = sys.argv[1:]
found = asyncio.run(run_async(source)) if mode == "async" else run_sync(source)
print(json.dumps(found))
