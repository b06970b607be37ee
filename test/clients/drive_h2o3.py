"""H2O-3 reads from Drive and writes to it, asked by its own client; prints what came of it as JSON, in the last line.

Environment: H2O_URL, WORKSPACE, and temporary keys of Drive as AWS tools have them. `s3://_my/home/houses.csv` is there.
"""

import json
import os

import h2o
from h2o.exceptions import H2OResponseError, H2OServerError
from h2o.persist import set_s3_credentials


def refused(call, *args):
    try:
        call(*args)
    except (H2OResponseError, H2OServerError):
        return True
    return False


h2o.connect(url=os.environ["H2O_URL"], verbose=False)
h2o.no_progress()
source = "s3://_my/home/houses.csv"
said = {"without keys": refused(h2o.import_file, source)}
set_s3_credentials(
    os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_SESSION_TOKEN"]
)
houses = h2o.import_file(source)
said["imported"] = [houses.nrow, houses.names, round(houses["price"].sum())]
exported = "s3://_my/home/from-h2o/houses.csv"
h2o.export_file(houses, exported)
said["again"] = refused(h2o.export_file, houses, exported)
h2o.export_file(houses, f"s3://{os.environ['WORKSPACE']}/houses.csv")
back = h2o.import_file(exported)
said["back"] = [back.nrow, back.names, round(back["price"].sum())]
said["missing"] = refused(h2o.import_file, "s3://_my/home/none.csv")
# Or else it says so at the end.
h2o.connection().close()
print(json.dumps(said))
