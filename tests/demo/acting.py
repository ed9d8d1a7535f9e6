"""How the tests of the demo talk to the bundled service: its scripts, its pages, its tables."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass

import psycopg

from gonogo.demo.workspace import Workspace

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def bash(workspace: Workspace, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=workspace.folder,
        env=dict(workspace.settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def succeed(workspace: Workspace, command: str) -> str:
    told = bash(workspace, command)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout.strip()


@dataclass(frozen=True)
class Page:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def data(self):
        return json.loads(self.text)


def get(
    workspace: Workspace, path: str, token: str = "", method: str = "GET", agent: str = "tests"
) -> Page:
    headers = {"User-Agent": agent}
    if token:
        headers["Authorization"] = f"Bearer {workspace.settings.get(token, token)}"
    request = urllib.request.Request(
        workspace.settings["APP_URL"] + path, headers=headers, method=method
    )
    try:
        with DIRECT.open(request, timeout=10) as answer:
            return Page(answer.status, dict(answer.headers), answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Page(error.code, dict(error.headers), error.read().decode())


def rows(workspace: Workspace, statement: str) -> list[tuple]:
    with psycopg.connect(workspace.settings["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def value(workspace: Workspace, statement: str):
    return rows(workspace, statement)[0][0]


def to_v2(workspace: Workspace) -> Workspace:
    succeed(workspace, "bin/migrate up --for v2 && bin/switch v2 && bin/service restart")
    return workspace
