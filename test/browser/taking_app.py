"""Takes a data set from the home of its owner and keeps it in a space of its own, by h2o-drive and with nothing but its environment.

The client is made once, so that it holds temporary keys from one request to the next.
"""

import asyncio
import http.server
import json
import os
import pathlib
import tempfile
from urllib.parse import parse_qs, urlsplit

import botocore.exceptions
import h2o_drive

drive = None


async def take(name):
    global drive
    drive = drive or h2o_drive.connect()
    bucket = drive.user_bucket()
    kept = h2o_drive.Space.APP_INSTANCE.prefix() + "taken.csv"
    with tempfile.TemporaryDirectory() as folder:
        file = str(pathlib.Path(folder) / "taken.csv")
        await bucket.with_prefix(h2o_drive.Space.HOME.prefix()).download_file(name, file)
        await bucket.upload_file(file, kept)
        return {"taken": pathlib.Path(file).read_text(), "kept": kept}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        said = {}
        if url.path == "/take":
            try:
                said = asyncio.run(take(parse_qs(url.query)["name"][0]))
            except botocore.exceptions.ClientError as error:
                # Of HEAD there is only the status, since it has no body to say more in.
                said = {"refused": error.response["ResponseMetadata"]["HTTPStatusCode"]}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
