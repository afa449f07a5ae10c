"""A server of files that behaves as badly as servers do, for the tests of the scripts that fetch."""

import http.server
import os
import re
import threading
import time

for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
    os.environ.pop(proxy, None)


class Server(http.server.ThreadingHTTPServer):
    """Serves the files of `folder` at `url`. behave() says how badly; log: what was asked for, as (file, first byte or
    None)."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.url = folder, f"http://127.0.0.1:{self.server_address[1]}/files"
        self.behave()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def behave(self, how="", cut=None, busy=0):
        """how: "", or what the handler knows. cut: {file: [bytes after which each answer ends]}. busy: so many answers
        say that the server is."""
        self.how, self.cut, self.busy, self.log = how, {k: list(v) for k, v in (cut or {}).items()}, busy, []


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        server, name = self.server, os.path.basename(self.path)
        if server.busy > 0:
            server.busy -= 1
            return self.send_error(503)
        if server.how == "gone":
            return self.send_error(404)
        with open(f"{server.folder}/{name}", "rb") as file:
            content = file.read()
        first = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        server.log.append((name, int(asked[1]) if asked else None))
        if asked and server.how != "no ranges":
            first = int(asked[1])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        size = 10**15 if server.how == "huge" else len(content) - first
        if server.how != "no size":
            self.send_header("Content-Length", str(size))
        self.end_headers()
        end = len(content)
        if server.cut.get(name):
            end = min(end, first + server.cut[name].pop(0))
        try:
            if server.how == "slow":
                for i in range(first, end, 20000):
                    self.wfile.write(content[i:min(i + 20000, end)])
                    time.sleep(.05)
            else:
                self.wfile.write(content[first:end])
        except (BrokenPipeError, ConnectionResetError):
            pass  # a size that was asked for, or a client that was killed
