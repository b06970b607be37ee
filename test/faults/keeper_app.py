"""Keeps a text in its volume and says it again: what a backup has to bring back."""

import http.server
import os
from urllib.parse import parse_qs, urlsplit

FILE = "/data/kept.txt"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        text = "ready"
        if url.path == "/keep":
            text = parse_qs(url.query)["text"][0]
            with open(FILE, "w", encoding="utf-8") as file:
                file.write(text)
        if url.path == "/kept":
            with open(FILE, encoding="utf-8") as file:
                text = file.read()
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
