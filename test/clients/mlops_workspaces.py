"""Uses the unmodified h2o-mlops as a data scientist would: connects, and works with workspaces and users. Prints what it saw as JSON.

The address of Haic and the token come from the environment. Argument: the user name of a colleague.
"""

import json
import os
import sys

import h2o_mlops
from h2o_mlops import errors
from h2o_mlops.options import FilterExpression, FilterOptions, ListOptions, SortOptions
from h2o_mlops.types import OperatorType, OrderType

colleague = sys.argv[1]
seen = {}

mlops = h2o_mlops.Client(h2o_cloud_url=os.environ["TEST_URL"])

me = mlops.users.get_me()
seen["me"] = [me.username, me.name, me.email]
seen["me again"] = mlops.users.get(me.uid).username
users = mlops.users.list()
seen["users"] = sorted(user.username for user in users)
seen["colleague"] = [(user.username, user.email) for user in mlops.users.list(username=colleague)]

fraud = mlops.workspaces.create(name="Fraud", description="Of the bank", annotations={"team": "red"})
seen["created"] = [fraud.name, fraud.description, fraud.annotations, fraud.creator.username]
seen["got"] = mlops.workspaces.get(fraud.uid).name
churn = mlops.workspaces.create(name="o'brien's churn")
seen["by name"] = [w.uid == churn.uid for w in mlops.workspaces.list(name="o'brien's churn")]
seen["count"] = [mlops.workspaces.count(), mlops.workspaces.count(name="Fraud"), len(mlops.workspaces.list())]
since = FilterOptions(field="created_time", value=fraud.created_time, operator=OperatorType.GTE)
listed = mlops.workspaces.list(
    opts=ListOptions(
        filter_expression=FilterExpression(filters=[since]),
        sort=[SortOptions(sort_by="name", order=OrderType.DESC)],
    )
)
seen["since"] = [w.name for w in listed]

fraud.update(name="Fraud 2", description=None, annotations={"own": "1"})
seen["updated"] = [fraud.name, fraud.description, fraud.annotations, fraud.last_modified_by.username]
seen["read back"] = [mlops.workspaces.get(fraud.uid).description, mlops.workspaces.get(fraud.uid).annotations]
fraud.set_default_on_demand()
seen["reserved"] = mlops.workspaces.get(fraud.uid).annotations
fraud.clear_default_on_demand()
seen["cleared"] = mlops.workspaces.get(fraud.uid).annotations

# More than a page of them, which the client follows by itself.
for number in range(55):
    mlops.workspaces.create(name=f"page {number:02}", description="many")
many = mlops.workspaces.list(description="many")
seen["many"] = [len(many), len({w.uid for w in many}), many[0].name, many[-1].name]

churn.delete()
seen["deleted"] = mlops.workspaces.count(name="o'brien's churn")
for what, act in {
    "unknown": lambda: mlops.workspaces.get("00000000-0000-4000-8000-00000000dead"),
    "unknown user": lambda: mlops.users.get("nobody"),
    "personal": lambda: mlops.workspaces.get("default").delete(),
    "no name": lambda: mlops.workspaces.create(name=""),
}.items():
    try:
        act()
        seen[what] = "done"
    except errors.MLOpsApiError as error:
        seen[what] = type(error).__name__

print(json.dumps(seen))
