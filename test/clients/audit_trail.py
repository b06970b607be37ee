"""Every public method of h2o-audit-trail, as a service of the platform and as a person; prints what came of it as JSON."""

import datetime as dt
import json
import os
import uuid

import h2o_audit_trail
from h2o_audit_trail.event.create import CreateEventRequest
from h2o_audit_trail.event.event import Event
from h2o_audit_trail.event.event_type import EventType
from h2o_audit_trail.event.search import SearchEventsRequestFilter as Filter
from h2o_audit_trail.exception import CustomApiException
from h2o_audit_trail.model.status import Status
from h2o_authn import TokenProvider

url = os.environ["TEST_URL"]
person_token = os.environ["PERSON_TOKEN"]
ada_token = os.environ["ADA_TOKEN"]
principal = os.environ["ADA_PRINCIPAL"]


class ServiceToken(TokenProvider):
    def __init__(self):
        pass

    def __call__(self):
        return os.environ["SERVICE_TOKEN"]

    def token(self):
        return os.environ["SERVICE_TOKEN"]


def login(token):
    return h2o_audit_trail.login(environment=url, platform_token=token).event_client


service = h2o_audit_trail.login(environment=url, token_provider=ServiceToken()).event_client
person = login(person_token)
ada = login(ada_token)
custom = h2o_audit_trail.login_custom(
    endpoint=f"{url}/audit-trail/",
    refresh_token=person_token,
    issuer_url=f"{url}/auth/realms/haic",
    client_id="haic-platform",
).event_client


def event(minute, **changes):
    told = dict(
        event_time=dt.datetime(2026, 1, 1, 12, minute, 1, 5),
        event_source="h2oai-test",
        action="actions/test/things/CREATE",
        read_only=False,
        status=Status(code=0),
        principal=principal,
        source_ip_address="10.1.2.3",
        resource="//test/workspaces/w1/things/1",
        request_parameters={"size": "big"},
        user_agent="a client",
        metadata={"run": os.environ["RUN"]},
    )
    return Event(**{**told, **changes})


def refused(work):
    try:
        work()
        return "nothing was refused"
    except CustomApiException as error:
        return str(error).split(":")[0].strip()


event_id = str(uuid.uuid4())
first = service.create_event(event_id, event(0))
again = service.create_event(event_id, event(0))
batch = service.batch_create_events(
    [
        CreateEventRequest(str(uuid.uuid4()), event(minute, status=Status(code=7, message="no"), type=EventType.TYPE_SYSTEM))
        for minute in (1, 2)
    ]
    + [CreateEventRequest("no uuid", event(3))]
    + [
        CreateEventRequest(str(uuid.uuid4()), event(4, event_time=dt.datetime(2026, 1, 1, 14, 4, tzinfo=dt.timezone(dt.timedelta(hours=2))))),
        CreateEventRequest(str(uuid.uuid4()), event(5, resource="", action="actions/test/things/DELETE")),
    ]
)
mine = {"metadata_exact": {"run": os.environ["RUN"]}}


def minutes(client=person, **changes):
    found = client.search_events(Filter(**{**mine, **changes}), page_size=1000)
    return [each.event_time.minute for each in found.events]


pages = []
page_token = ""
while True:
    page = custom.search_events(Filter(**mine), page_size=2, page_token=page_token)
    pages.append([each.event_time.minute for each in page.events])
    assert page.searched_until_time is not None
    page_token = page.next_page_token
    if page_token == "":
        break

print(
    json.dumps(
        {
            "name": first.name == f"events/{event_id}",
            "same": first == again,
            "login_principal": first.login_principal,
            "address": first.source_ip_address,
            "workspace": first.workspace,
            "type": first.type.name,
            "status": first.status.code,
            "taken": refused(lambda: service.create_event(event_id, event(0, user_agent="other"))),
            "batch": [each.event_time.minute for each in batch.events],
            "failed": {index: status.code for index, status in batch.failed_requests.items()},
            "no failure": service.batch_create_events([]).failed_requests,
            "any": len(person.search_events().events) > 0,
            "all": minutes(),
            "pages": pages,
            "range": minutes(start_event_time=dt.datetime(2026, 1, 1, 12, 1), end_event_time=dt.datetime(2026, 1, 1, 12, 4)),
            "status_code": minutes(status_code_regex="^7$"),
            "include": minutes(include_types=[EventType.TYPE_SYSTEM]),
            "exclude": minutes(exclude_types=[EventType.TYPE_SYSTEM]),
            "read_only": minutes(read_only=True),
            "action": minutes(action_exact="actions/test/things/DELETE"),
            "regex": minutes(
                action_regex="CREATE$",
                resource_regex="things",
                principal_regex="^users/",
                event_source_regex="h2oai",
                source_ip_address_regex="private",
                workspace_regex="w1",
                metadata_regex={"run": "."},
            ),
            "exact": minutes(
                resource_exact="//test/workspaces/w1/things/1",
                principal_exact=principal,
                event_source_exact="h2oai-test",
                source_ip_address_exact="private",
                workspace_exact="workspaces/w1",
            ),
            "own": minutes(ada, principal_exact=principal),
            "not all": refused(lambda: ada.search_events()),
            "not created": refused(lambda: person.create_event(str(uuid.uuid4()), event(9))),
            "no expression": refused(lambda: person.search_events(Filter(action_regex="(?=a)"))),
        }
    )
)
