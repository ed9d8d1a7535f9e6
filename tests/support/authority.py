"""A certificate authority of our own for tests, made with the openssl command."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Authority:
    """A folder with an authority and the certificates that it has signed."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """Return the authority's own certificate, to be trusted."""
        return self.folder / "ca.pem"

    @classmethod
    def make(cls, folder: Path) -> Authority | None:
        """Make one; None where there is no openssl command."""
        if shutil.which("openssl") is None:
            return None
        made = cls(folder)
        made._openssl(
            *(
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=test authority"),
        )
        return made

    def sign(self, host: str, days: int) -> Path:
        """Return a file with key and certificate for `host`, valid for `days`."""
        kind = "IP" if host.replace(".", "").isdigit() else "DNS"
        (self.folder / "names").write_text(f"subjectAltName={kind}:{host}\n")
        self._openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", "own.key", "-out", "own.csr", "-subj", f"/CN={host}"),
        )
        self._openssl(
            *("x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
            *("-CAcreateserial", "-out", "own.pem", "-days", str(days), "-extfile", "names"),
        )
        both = self.folder / f"{host}.pem"
        both.write_text(
            (self.folder / "own.key").read_text() + (self.folder / "own.pem").read_text()
        )
        return both

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)
