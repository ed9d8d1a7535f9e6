"""Which blocks keep a copy of data, and which losses a copy could make good."""

from __future__ import annotations

import pytest

from gonogo.actions.shell import Shell
from gonogo.plan.dumps import is_loss_of_data, keeps_data
from gonogo.plan.model import Block
from gonogo.source import Span

DUMPS = [
    'pg_dump --format=custom --file=b.dump "$DATABASE_URL"',
    "docker compose exec -T db pg_dump app > app.sql",
    "mkdir -p backups && mysqldump app | gzip > backups/app.sql.gz",
    "mongodump --out backups",
    "redis-cli BGSAVE",
    "valkey-cli --rdb cache.rdb",
    "tar czf uploads-backup.tgz uploads",
    "cp -a uploads uploads.bak",
    "supabase db dump -f b.sql",
    "heroku pg:backups:capture",
    "aws rds create-db-snapshot --db-instance-identifier app",
    "bin/backup",
    "make-backup",
]
OTHERS = [
    "pg_restore --list b.dump",
    "tar xzf uploads-backup.tgz",
    "cp config.new config",
    "redis-cli FLUSHDB",
    "ls backups",
    "echo pg_dump",
    "psql -f migrate.sql",
]


def block(text: str) -> Block:
    return Block("shell", Shell(text), text, Span.of_line(1))


@pytest.mark.parametrize("text", DUMPS)
def test_it_keeps_a_copy(text: str) -> None:
    assert keeps_data(block(text))


@pytest.mark.parametrize("text", OTHERS)
def test_it_keeps_nothing(text: str) -> None:
    assert not keeps_data(block(text))


def test_what_another_interpreter_does_is_not_known() -> None:
    work = Shell("pg_dump app", interpreter="python3")
    assert not keeps_data(Block("shell", work, "", Span.of_line(1)))


@pytest.mark.parametrize(
    ("statement", "data"),
    [
        ("DROP TABLE users", True),
        ("redis-cli FLUSHALL", True),
        ("rm -rf data", True),
        ("docker compose down -v", True),
        ('pkill -f "next dev"', False),
        ("/usr/bin/killall node", False),
        ("git push --force", False),
    ],
)
def test_a_dump_brings_back_data_only(statement: str, data: bool) -> None:
    assert is_loss_of_data(statement) is data
