"""A proxy before the AWS emulator, which can fail in several ways. Standard library only."""

import contextlib
import socket
import threading
import time

BUSY = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message>"
    b"</Error>"
)
THROTTLED = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: "
    + str(len(BUSY)).encode()
    + b"\r\n\r\n"
    + BUSY
)


class Line:
    """Forwards connections to a port. `mode` is one of MODES and may change at any time."""

    MODES = ("up", "killed", "slow", "throttling", "cutting")

    def __init__(self, target_port):
        self.target = target_port
        self.mode = "up"
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, mode):
        assert mode in self.MODES
        self.mode = mode
        # Connections that are open would not see the change.
        for connection in list(self.open):
            _close(connection)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        mode = self.mode
        self.open.add(client)
        try:
            if mode == "killed":
                return
            if mode == "throttling":
                client.recv(65536)
                client.sendall(THROTTLED)
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self.open.add(server)
            try:
                # A connection that is cut carries this many bytes in both directions together.
                left = [20_000 if mode == "cutting" else None]
                back = threading.Thread(target=_carry, args=(server, client, mode, left), daemon=True)
                back.start()
                _carry(client, server, mode, left)
                back.join()
            finally:
                self.open.discard(server)
                _close(server)
        except OSError:
            pass
        finally:
            self.open.discard(client)
            _close(client)

    def close(self):
        _close(self.listener)


def _carry(source, target, mode, left):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if mode == "slow":
                time.sleep(0.05)
            if left[0] is not None:
                data = data[: left[0]]
                left[0] -= len(data)
            target.sendall(data)
            if left[0] == 0:
                _close(source)
                break
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _close(connection):
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
