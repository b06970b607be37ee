/** Keeps what it is sent on its volume, and says everything again to who comes by a WebSocket; of Python alone, so that it starts in a moment. */
export const keeper = [
  {
    name: 'app.toml',
    content: `[App]\nName = "keeper"\nVersion = "1.0.0"\nTitle = "Keeper"
[Runtime]\nAppMode = "python"\nModule = "keeper"\nPort = 8099\nVolumeMount = "/data"\nVolumeSize = "10Mi"\n`,
  },
  {
    name: 'keeper.py',
    content: `import base64, hashlib, http.server, pathlib
kept = pathlib.Path('/data/kept')

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def answer(self):
        body = kept.read_bytes() if kept.exists() else b''
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if self.headers.get('upgrade') == 'websocket':
            self.say_again()
        else:
            self.answer()
    def do_POST(self):
        kept.write_bytes(self.rfile.read(int(self.headers['content-length'])))
        self.answer()
    def say_again(self):
        key = self.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
        self.send_response(101)
        self.send_header('upgrade', 'websocket')
        self.send_header('connection', 'upgrade')
        self.send_header('sec-websocket-accept', base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.close_connection = True
        while data := self.connection.recv(4096):
            self.connection.sendall(data)

http.server.ThreadingHTTPServer(('127.0.0.1', 8099), Handler).serve_forever()
`,
  },
];
