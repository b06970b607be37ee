"""Uses every public method of the unmodified h2o-secure-store for secrets and their versions; prints what came back as JSON.

Arguments: discovery|custom|provider, how to log in. Addresses and the token come from the environment, so that no secret is on a command line.
"""

import json
import os
import sys

import h2o_authn
import h2o_secure_store
from h2o_secure_store.clients.secret_version.secret_version import SecretVersion
from h2o_secure_store.exception import CustomApiException

url, platform_token = os.environ["TEST_URL"], os.environ["TEST_TOKEN"]
issuer = f"{url}/auth/realms/haic"


def log_in(how):
    if how == "discovery":
        return h2o_secure_store.login(environment=url, platform_token=platform_token)
    if how == "custom":
        return h2o_secure_store.login_custom(
            endpoint=f"{url}/secure-store/", refresh_token=platform_token, issuer_url=issuer, client_id="haic-platform"
        )
    provider = h2o_authn.TokenProvider(refresh_token=platform_token, issuer_url=issuer, client_id="haic-platform")
    return h2o_secure_store.login_custom_with_token_provider(endpoint=f"{url}/secure-store", token_provider=provider)


def refusal(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except CustomApiException as error:
        return f"{error.status} {json.loads(error.body)['code']}"
    return "none"


def use(clients):
    secrets, versions = clients.secret_client, clients.secret_version_client
    workspace = "workspaces/default"
    made = secrets.create_secret(workspace, secret_id="db", display_name="Database", annotations={"a": "b"})
    unnamed = secrets.create_secret(workspace)
    got = secrets.get_secret(made.name)
    first = versions.create_secret_version(made.name, SecretVersion(value=b"one \xff"))
    versions.create_secret_version(made.name, SecretVersion(value=b"two"))
    latest = f"{made.name}/versions/latest"
    page = versions.list_secret_versions(parent=made.name, page_size=1)
    rest = versions.list_secret_versions(parent=made.name, page_size=1, page_token=page.next_page_token)
    found = {
        "same": repr(made) == repr(got),
        "workspace": made.get_workspace_id(),
        "id": made.get_secret_id(),
        "state": str(made.state),
        "annotations": made.annotations,
        "display_name": made.display_name,
        "times": [made.create_time is not None, made.delete_time, made.purge_time],
        "unnamed": len(unnamed.get_secret_id()) > 5,
        "revealed": [versions.reveal_secret_version_value(name).decode("latin1") for name in (first.name, latest)],
        "latest": versions.get_secret_version(latest).name == f"{made.name}/versions/v2",
        "pages": [len(page.secret_versions), len(rest.secret_versions), rest.next_page_token],
        "all_versions": len(versions.list_all_secret_versions(parent=made.name)),
        "listed": len(secrets.list_secrets(workspace, page_size=1).secrets),
        "all": len(secrets.list_all_secrets(workspace)),
        "taken": refusal(secrets.create_secret, workspace, secret_id="db"),
        "none": refusal(secrets.get_secret, f"{workspace}/secrets/none"),
        "bad": refusal(secrets.create_secret, workspace, secret_id="Bad"),
        "elsewhere": refusal(secrets.list_secrets, "workspaces/elsewhere"),
    }
    deleted = secrets.delete_secret(made.name)
    found["deleted"] = [str(deleted.state), (deleted.purge_time - deleted.delete_time).days]
    found["closed"] = refusal(versions.reveal_secret_version_value, latest)
    found["left"] = [len(secrets.list_all_secrets(workspace)), len(secrets.list_all_secrets(workspace, show_deleted=True))]
    found["back"] = str(secrets.undelete_secret(made.name).state)
    secrets.delete_all_secrets(workspace)
    found["after"] = len(secrets.list_all_secrets(workspace))
    return found


print(json.dumps(use(log_in(sys.argv[1]))))
