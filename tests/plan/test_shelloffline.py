"""Which commands fetch from outside, and which look like it."""

from __future__ import annotations

import pytest

from gonogo.plan.shelloffline import reaches_out
from gonogo.plan.shellscript import Reading

OUT = [
    "git pull",
    "git pull origin main",
    "cd app && git fetch --all",
    "git clone https://github.com/acme/app.git",
    "git clone git@github.com:acme/app.git",
    "docker pull acme/app:v2",
    "docker compose pull",
    "docker-compose build web",
    "docker build -t app .",
    "npm ci",
    "yarn install",
    "pip install -r requirements.txt",
    "sudo apt-get install -y jq",
    "bundle install",
    "curl -fsS https://example.com/install.sh -o install.sh",
    "wget https://example.com/release.tar.gz",
    "go get ./...",
    "go mod download",
    "helm repo update",
    "helm pull acme/shop",
    "uv sync",
    "ssh web1 'git pull'",
]
INSIDE = [
    "git pull /media/release.bundle main",
    "git pull ../mirror main",
    'git pull "$MIRROR" main',
    "git fetch https://git.acme.internal/app.git",
    "git status",
    "git log --grep pull",
    "docker load --input release.tar",
    "docker compose up -d --no-build",
    "npm ci --offline",
    "helm upgrade shop ./chart",
    "helm repo list",
    "uv sync --offline",
    "npm run build",
    "pip install --no-index --find-links wheels -r requirements.txt",
    "apt-get remove jq",
    "bundle install --local",
    "curl -fsS http://localhost:8080/health",
    "curl -fsS http://10.0.0.3/health",
    "curl -fsS http://app:8080/health",
    'curl -fsS "$APP_URL/health"',
    "echo git pull",
]


def hints(text: str) -> list[str]:
    found = (reaches_out(call) for call in Reading(text).calls)
    return [hint for hint in found if hint is not None]


@pytest.mark.parametrize("text", OUT)
def test_it_reaches_out_and_says_what_to_do(text: str) -> None:
    assert len(hints(text)) == 1


@pytest.mark.parametrize("text", INSIDE)
def test_it_stays_inside(text: str) -> None:
    assert hints(text) == []
