"""The app of the fault tests: the standard library alone, so that nothing has to be installed. It says which process it is."""

import base64
import hashlib
import http.server
import json
import os
import time
import uuid
from urllib.parse import parse_qs, urlsplit

BORN = uuid.uuid4().hex
KEPT = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if url.path == "/exit":
            print("leaving as asked", flush=True)
            os._exit(int(query["code"][0]))
        if url.path == "/eat":
            KEPT.append(b"x" * (int(query["mib"][0]) << 20))
        if url.path == "/token":
            return self.answer(refreshed_token())
        if url.path == "/echo":
            return self.echo()
        self.answer({"born": BORN})

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def echo(self):
        """A WebSocket that says `BORN` and the time several times a second, for as long as it is there."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)):
            self.send_header(name, value)
        self.end_headers()
        while True:
            text = f"{BORN} {time.time()}".encode()
            self.wfile.write(bytes([0x81, len(text)]) + text)
            self.wfile.flush()
            time.sleep(0.05)

    def log_message(self, *args):
        pass


def refreshed_token():
    """What a real app does to act for its person (contract wave-app §4): the handle it was given, for an access token."""
    import urllib.error
    import urllib.request

    request = urllib.request.Request(
        os.environ["H2O_CLOUD_TOKEN_ENDPOINT_URL"],
        data=(
            "grant_type=refresh_token&client_id=haic-platform&refresh_token="
            + os.environ["H2O_CLOUD_CLIENT_PLATFORM_TOKEN"]
        ).encode(),
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return {"status": response.status, "granted": "access_token" in json.load(response)}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "granted": False}


print("probe", BORN, flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
