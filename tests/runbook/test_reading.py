"""What is no runbook is refused with its code; what can be read is read, and said."""

from __future__ import annotations

import codecs

import pytest

from gonogo.errors import RunbookError, Severity, UsageError
from gonogo.runbook.reading import LARGEST, read_bytes, read_source
from gonogo.source import Span


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "GN001", id="empty"),
        pytest.param(b" \r\n\t\n", "GN001", id="only white space"),
        pytest.param(codecs.BOM_UTF8, "GN001", id="only a byte order mark"),
        pytest.param(b"# A\0B", "GN002", id="zero bytes"),
        pytest.param("# A".encode("utf-16-le"), "GN002", id="utf-16 without a mark"),
        pytest.param(bytes(range(1, 256)) * 4, "GN002", id="any bytes"),
        pytest.param(b"\xff\xd8\xe0\x90\x81\x8d" * 50 + b"\n", "GN002", id="no text"),
        pytest.param(codecs.BOM_UTF16_LE + b"a", "GN002", id="half a character"),
        pytest.param(b"a" * (LARGEST + 1), "GN003", id="too large"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_source("deploy.md", data)
    assert raised.value.code == code
    assert "`deploy.md`" in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param("# Ä ≥ ⚠️\n".encode(), "# Ä ≥ ⚠️\n", id="utf-8"),
        pytest.param(codecs.BOM_UTF8 + b"# A", "# A", id="byte order mark"),
        pytest.param("# Ä".encode("utf-16"), "# Ä", id="utf-16"),
        pytest.param(codecs.BOM_UTF16_BE + "# Ä".encode("utf-16-be"), "# Ä", id="utf-16 big"),
        pytest.param("# Ä".encode("utf-32"), "# Ä", id="utf-32"),
        pytest.param(b"a\r\nb\rc\n", "a\nb\nc\n", id="line ends"),
        pytest.param(b"\x1b[1mbold\x1b[0m " * 3, "\x1b[1mbold\x1b[0m " * 3, id="terminal colours"),
    ],
)
def test_common_encodings_are_read_in_silence(data: bytes, text: str) -> None:
    reading = read_bytes("deploy.md", data)
    assert reading.source.text == text
    assert reading.source.name == "deploy.md"
    assert reading.diagnostics == ()


def test_a_line_that_is_not_utf8_is_read_as_windows_1252_and_said() -> None:
    data = "# Grüße ≥\r\n".encode() + "– bis 5 €\n".encode("cp1252")
    reading = read_bytes("deploy.md", data)
    assert reading.source.text == "# Grüße ≥\n– bis 5 €\n"
    (said,) = reading.diagnostics
    assert (said.code, said.severity, said.span) == ("GN004", Severity.WARNING, Span(2, 1, 2, 10))


@pytest.mark.parametrize("codec", ["mac_roman", "cp1252"])
@pytest.mark.parametrize("right", ["p95 ≥ 5", "a — b", "“so”", "✅ done", "🚀 go", "5 → 3"])
def test_garbled_characters_become_what_they_were(codec: str, right: str) -> None:
    garbled = "".join(
        chr(byte) if shown == "\ufffd" else shown
        for byte in right.encode()
        for shown in [bytes([byte]).decode(codec, errors="replace")]
    )
    assert garbled != right
    reading = read_bytes("deploy.md", f"# A\n\n{garbled}\n".encode())
    assert reading.source.lines[2] == right
    (said,) = reading.diagnostics
    assert (said.code, said.severity, said.span.line) == ("GN005", Severity.WARNING, 3)
    assert said.notes == ("lines 3",)


def test_a_garbled_warning_sign_is_a_warning_sign() -> None:
    text = "- [ ] ‚ö†Ô∏è Mac\n- [ ] âš ï¸ Windows\n"
    assert read_source("deploy.md", text.encode()).lines[:2] == ("- [ ] ⚠️ Mac", "- [ ] ⚠ Windows")


def test_short_mac_sequences_count_only_beside_longer_ones() -> None:
    assert read_source("a.md", "√© and √π\n".encode()).text == "√© and √π\n"
    assert read_source("a.md", "‚Äî caf√©\n".encode()).text == "— café\n"


@pytest.mark.parametrize(
    "text", ["‚Ärger‘ in Österreich\n", "NÃO À AÇÃO\n", "é – è … ”\n", "π ≈ 3 ∑ √2\n", "Ä“ Ö”\n"]
)
def test_right_characters_stay(text: str) -> None:
    reading = read_bytes("deploy.md", text.encode())
    assert reading.source.text == text
    assert reading.diagnostics == ()


def test_many_garbled_lines_are_one_warning() -> None:
    (said,) = read_bytes("deploy.md", "‚Äî\n".encode() * 20).diagnostics
    assert said.notes == ("lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, …",)


def test_front_matter_without_an_end_is_a_mistake_of_the_author() -> None:
    with pytest.raises(RunbookError) as raised:
        read_source("deploy.md", b"---\ngonogo: 1\n\n# A\n")
    assert [d.code for d in raised.value.diagnostics] == ["GN006"]
    assert raised.value.source.lines[1] == "gonogo: 1"
