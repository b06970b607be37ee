"""The hostile app of the security tests: shows everything that it is given, and runs whatever a test posts to it."""

import base64
import contextlib
import hashlib
import http.server
import io
import json
import os
import traceback

PLANTED = [
    "haic_session=planted; Path=/",
    "haic_session=planted; Path=/; Domain=localhost",
    "__Host-haic_session=planted; Path=/; Secure",
    "HAIC_SESSION=planted; Path=/",
    "haic_ticket=planted; Path=/",
    "haic_idp_session=planted; Path=/auth; Domain=localhost",
    "oidcsession_planted=planted; Path=/",
    "own=kept; Path=/",
] + [f"haic_signin_{n}=planted; Path=/; Domain=.localhost" for n in range(50)]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.show_on_websocket()
        if self.path.startswith("/plant"):
            return self.answer("planted", [("Set-Cookie", line) for line in PLANTED])
        if self.path.startswith("/page"):
            return self.answer("<!doctype html><title>probe</title><p>a page of an app", [("Content-Type", "text/html")])
        self.answer(json.dumps(self.request_as_it_came()))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path.startswith("/python"):
            return self.answer(run(body))
        self.answer(json.dumps({**self.request_as_it_came(), "body": body}))

    def request_as_it_came(self):
        return {"method": self.command, "path": self.path, "headers": self.headers.items()}

    def answer(self, text, headers=()):
        body = text.encode()
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def show_on_websocket(self):
        """One message with the headers of the upgrade, then silence until the other side ends it."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        text = json.dumps(self.request_as_it_came()).encode()
        self.wfile.write(bytes([0x81, 126]) + len(text).to_bytes(2, "big") + text)
        self.wfile.flush()
        self.close_connection = True
        while self.rfile.read(1):
            pass

    def log_message(self, *args):
        pass


def run(code):
    """What the code printed; its last words when it failed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            exec(code, {})
        except BaseException:
            print(traceback.format_exc())
    return said.getvalue()


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
