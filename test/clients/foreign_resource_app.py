"""Asks a resource of another organisation as the person whose app this is: with the token of theirs that the platform keeps."""

import http.server
import os
import urllib.request

import h2o_secure_store


def ask():
    clients = h2o_secure_store.login()
    source = clients.token_source_client.get_token_source("corp", "mine")
    headers = {"Authorization": f"Bearer {source.access_token}"}
    with urllib.request.urlopen(urllib.request.Request(os.environ["RESOURCE"], headers=headers), timeout=20) as answer:
        return answer.read()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ask() if self.path == "/ask" else b"ready"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
