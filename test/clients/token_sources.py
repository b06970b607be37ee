"""Uses every public method of the unmodified h2o-secure-store for OAuth clients and token sources; prints what came back as JSON.

Arguments: administer|connect|look|end. What is secret comes from the environment.
"""

import json
import os
import sys

import h2o_secure_store
from h2o_secure_store.exception import CustomApiException

clients = h2o_secure_store.login(environment=os.environ["TEST_URL"], platform_token=os.environ["TEST_TOKEN"])
oauth, sources = clients.oauth_client_client, clients.token_source_client


def refusal(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except CustomApiException as error:
        return f"{error.status} {json.loads(error.body)['code']}"
    return "none"


def shown(source):
    return {
        "name": source.name,
        "login_required": source.login_required,
        "login_uri": source.login_uri,
        "access_token": source.access_token,
        "login_principal": source.login_principal,
        "subject": source.subject,
        "times": [each is not None for each in (source.issue_time, source.expire_time, source.login_time)],
    }


def administer():
    made = oauth.create_oauth_client(
        issuer=os.environ["TEST_ISSUER"],
        client_id=os.environ["TEST_CLIENT_ID"],
        client_secret=os.environ["TEST_CLIENT_SECRET"],
        oauth_client_id="corp",
        display_name="Corp",
        extra_scopes=["email", "email"],
    )
    got = oauth.get_oauth_client("corp")
    changed = oauth.get_oauth_client("corp")
    changed.display_name, changed.issuer = "Corp & Sons", "https://evil.example"
    updated = oauth.update_oauth_client(changed, update_mask="display_name")
    updated.extra_scopes = []
    everything = oauth.update_oauth_client(updated)
    unnamed = oauth.create_oauth_client(issuer="https://idp.example", client_id="x")
    page = oauth.list_oauth_clients(page_size=1)
    return {
        "same": repr(made) == repr(got),
        "id": made.oauth_client_id,
        "callback": made.callback_uri,
        "secret": [made.client_secret, made.client_secret_set],
        "scopes": [made.extra_scopes, everything.extra_scopes],
        "updated": [updated.display_name, updated.issuer == made.issuer, made.update_time, updated.update_time is not None],
        "claim": made.login_principal_claim,
        "pages": [len(page.oauth_clients), page.next_page_token != ""],
        "all": len(oauth.list_all_oauth_clients()),
        "taken": refusal(oauth.create_oauth_client, issuer="https://x.example", client_id="x", oauth_client_id="corp"),
        "bad": refusal(oauth.update_oauth_client, updated, update_mask="oidc_disabled"),
        "deleted": oauth.delete_oauth_client(unnamed.oauth_client_id),
    }


def connect():
    made = sources.create_token_source("corp", redirect_uri="", token_source_id="mine")
    sources.create_token_source("corp", redirect_uri=os.environ["TEST_URL"])
    return {
        **shown(made),
        "page": len(sources.list_token_sources("corp", page_size=1).token_sources),
        "all": len(sources.list_all_token_sources("corp")),
        "refused": refusal(oauth.delete_oauth_client, "corp"),
    }


def look():
    return shown(sources.get_token_source("corp", "mine"))


def end():
    oauth.invalidate_token_sources("corp")
    left = len(oauth.list_all_oauth_clients())
    oauth.delete_all_oauth_clients()
    return {"before": left, "after": len(oauth.list_all_oauth_clients())}


def clear():
    sources.delete_token_source("corp", "mine")
    left = len(sources.list_all_token_sources("corp"))
    sources.delete_all_token_sources("corp")
    return {"before": left, "after": len(sources.list_all_token_sources("corp"))}


print(json.dumps({"administer": administer, "connect": connect, "look": look, "clear": clear, "end": end}[sys.argv[1]]()))
