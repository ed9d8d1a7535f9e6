"""A server that says what it was told to say, whatever it is asked, and nothing else."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator


@contextlib.contextmanager
def saying(*answers: bytes, more: Callable[[], Iterable[bytes]] | None = None) -> Iterator[int]:
    """Answer the n-th thing that is heard on a connection with the n-th of `answers`.

    Behind the last one `more` goes on without being asked; then the connection is closed. Yields
    the port.
    """

    def talk(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            for answer in answers:
                if not connection.recv(65_536):
                    return
                connection.sendall(answer)
            for part in more() if more is not None else ():
                connection.sendall(part)

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # closing alone would not wake who accepts


def http(body: bytes, kind: str = "application/json") -> bytes:
    """Return a whole answer over HTTP."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
