"""Tells people by e-mail; the Message-ID is the message's key, so a mail store can drop a copy."""

from __future__ import annotations

import contextlib
import hashlib
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from io import BufferedReader
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from gonogo.clock import SystemClock
from gonogo.plan.notices import COPY, Failure, Notice, Receipt

TIMEOUT_S = 10.0
_ALL_IN_ALL = 3  # times the timeout, for all answers of a server together
_MOST_BYTES = 1024 * 1024
_ENDLESS = "no end of the answer"
_clock = SystemClock()
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1", re.IGNORECASE)


class _Answers:
    """Reads the lines of a server's answers, for so long and so many bytes in all."""

    def __init__(self, file: BufferedReader, until: float) -> None:
        self._file = file
        self._until = until
        self._left = _MOST_BYTES

    def readline(self, size: int) -> bytes:
        line = b""
        while len(line) < size and not line.endswith(b"\n"):
            if _clock.monotonic() > self._until:
                raise TimeoutError("timed out")
            seen = self._file.peek(1)[: size - len(line)]  # one look at the socket at most
            if not seen:
                break
            end = seen.find(b"\n") + 1
            line += self._file.read(end or len(seen))
        self._left -= len(line)
        if self._left < 0:
            raise OSError(_ENDLESS)
        return line

    def close(self) -> None:
        self._file.close()


class _Plain(smtplib.SMTP):
    """A connection whose server cannot hold us by sending on and on."""

    def __init__(self, host: str, port: int, timeout: float, **more: Any) -> None:
        self._until = _clock.monotonic() + _ALL_IN_ALL * timeout
        super().__init__(host, port, timeout=timeout, **more)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Answers(self.sock.makefile("rb"), self._until)
        return super().getreply()


class _Secure(_Plain, smtplib.SMTP_SSL):
    """The same with TLS from its first byte."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Sends one mail by SMTP; with a password only over TLS, or to this machine."""

    kind: ClassVar[str] = "mail"
    knows_copies: ClassVar[bool] = False

    to: str
    server: str = "smtp://localhost"  # or smtps://user:password@host:465
    sender: str = ""
    timeout_s: float = TIMEOUT_S

    def send(self, notice: Notice, *, key: str, is_copy: bool = False) -> Receipt:
        """Send one mail."""
        mail = self._mail(notice, key, is_copy=is_copy)
        try:
            self._hand_over(mail)
        except smtplib.SMTPNotSupportedError:
            return Receipt(Failure.AUTH, "the server takes no password, or none without TLS")
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            return _answered(code, said)
        except smtplib.SMTPResponseException as error:
            if isinstance(error, smtplib.SMTPAuthenticationError):
                return Receipt(Failure.AUTH, f"status {error.smtp_code}: the password is refused")
            return _answered(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return _not_sent(error, self.timeout_s)
        return Receipt(id=str(mail["Message-ID"]))

    def _hand_over(self, mail: EmailMessage) -> None:
        smtp = self._connected()
        try:
            smtp.send_message(mail)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.quit()  # the mail was taken: no goodbye can undo that
        finally:
            smtp.close()

    def _mail(self, notice: Notice, key: str, *, is_copy: bool) -> EmailMessage:
        host = socket.gethostname() or "localhost"
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        mail = EmailMessage()
        mail["Subject"] = " ".join(notice.title().split())[:200]
        mail["From"] = self.sender or f"gonogo@{host}"
        mail["To"] = self.to
        mail["Date"] = format_datetime(_clock.now())
        mail["Message-ID"] = f"<{name}@gonogo.invalid>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Gonogo-Key"] = re.sub(r"[^!-~]", "_", key)[:200]
        mail.set_content(f"{notice.text()}\n\n{COPY}\n" if is_copy else notice.text() + "\n")
        return mail

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self.server if "://" in self.server else f"smtp://{self.server}")
        host = parts.hostname or "localhost"
        smtp: smtplib.SMTP
        if parts.scheme == "smtps":
            secure = ssl.create_default_context()
            smtp = _Secure(host, parts.port or 465, self.timeout_s, context=secure)
        else:
            smtp = _Plain(host, parts.port or (587 if parts.username else 25), self.timeout_s)
        try:
            smtp.ehlo_or_helo_if_needed()
            secured = parts.scheme == "smtps"
            if not secured and smtp.has_extn("starttls"):
                smtp.starttls(context=ssl.create_default_context())
                secured = True
            if parts.username:
                _require(secured or bool(_LOOPBACK.fullmatch(host)))
                smtp.login(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            smtp.close()
            raise
        return smtp


def _require(private: bool) -> None:  # noqa: FBT001 - reads as a sentence
    """Refuse to send a password in the clear."""
    if not private:
        raise smtplib.SMTPNotSupportedError


def _answered(code: int, said: bytes | str) -> Receipt:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    words = f"status {code}: {' '.join(text.split())[:200]}"
    if code in (530, 534, 535):
        return Receipt(Failure.AUTH, words)
    if code in (550, 551, 553, 556):
        return Receipt(Failure.GONE, words)
    if code in (450, 452):
        return Receipt(Failure.RATE_LIMITED, words)
    return Receipt(Failure.REFUSED if code >= 500 else Failure.BROKEN, words)


def _not_sent(error: Exception, timeout_s: float) -> Receipt:
    match error:
        case TimeoutError() | smtplib.SMTPServerDisconnected() if "timed out" in str(error):
            return Receipt(Failure.TIMEOUT, f"no answer within {timeout_s:g} s")
        case smtplib.SMTPServerDisconnected() if _ENDLESS in str(error):
            return Receipt(Failure.BROKEN, "the server sends an answer without an end")
        case smtplib.SMTPServerDisconnected():
            return Receipt(Failure.TIMEOUT, "the server closed the connection without an answer")
        case ssl.SSLError():
            return Receipt(Failure.UNREACHABLE, "no TLS connection with the server")
        case socket.gaierror():
            return Receipt(Failure.UNREACHABLE, "the host cannot be resolved")
        case OSError():
            return Receipt(Failure.UNREACHABLE, f"no connection: {error.strerror or 'refused'}")
        case ValueError():
            return Receipt(Failure.GONE, "the address of the server or of the person is not valid")
        case _:
            return Receipt(Failure.UNKNOWN, f"the mail was not sent ({type(error).__name__})")
