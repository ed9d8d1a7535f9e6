"""Text that is no shell, and alternatives of which only one is meant to run."""

from __future__ import annotations

import pytest

from gonogo.errors import Severity
from gonogo.plan import shellscript


def _codes(text: str) -> list[str]:
    return [d.code for d in shellscript.review(text) if d.severity is Severity.ERROR]


ALTERNATIVES = {
    "npm ci\n# Or using yarn\nyarn install": 1,
    "npm ci\n# or\nyarn install": 1,
    "npm ci\n# OR: use pnpm\npnpm i": 1,
    "a\n# Alternatively, from the dashboard\nb": 1,
    "# Option A\na\n# Option B\nb": 1,
    "# Option 1: fast\na\n# Option 2: slow\nb\n# Option 3\nc": 2,
    "# Method 1\na\n# Method 2\nb": 1,
    "a # or b": 0,
    "a\n# or b": 0,
    "# Or using yarn\nyarn install": 0,
    "# Option A\na": 0,
    "a\n# order matters\nb": 0,
    "a\n# Original\nb": 0,
    "echo '# or'\nb": 0,
    "cat <<X\n# or\nX\nb": 0,
    "a\n# one or two\nb": 0,
    "a || b": 0,
}


@pytest.mark.parametrize("text", ALTERNATIVES)
def test_alternatives_in_one_block_are_a_mistake(text: str) -> None:
    assert _codes(text).count("GN503") == ALTERNATIVES[text]


FOREIGN = {
    "GET /api/health": "HTTP",
    "POST https://x/y": "HTTP",
    "https://app.example.org/admin": "URL",
    '{"a": 1}': "JSON",
    '[\n  {"a": 1}\n]': "JSON",
    "const a = 1;": "code",
    "import x from 'y';": "code",
    "await fetch('/x')": "code",
    "console.log('x')": "code",
    "// check the console\nfoo()": "code",
    "SELECT * FROM users;": "SQL",
    "VACUUM ANALYZE;": "SQL",
    "0 2 * * * /usr/bin/backup": "crontab",
    "*/5 * * * * run": "crontab",
    "Go to Settings > Pages": "prose",
    "Open the dashboard and check the graphs": "prose",
    "Click Deploy": "prose",
    "1. Open the page": "list",
    "- check the logs": "list",
    "✅ all green": "list",
    "services:\n  web:\n    image: x": "configuration",
    "/var/log/app/*.log {\n  daily\n}": "configuration",
    "[Unit]\nDescription=x": "configuration",
    "$ npm ci": "prompt",
    "<html><body></body></html>": "markup",
}
SHELL = """\
./deploy.sh
FOO=bar make
make deploy
Rscript run.R
[ -f x ] && y
[[ -f x ]] || y
if [ "$A" ]; then b; fi
{ a; b; }
(cd x && y)
./Build --all
git commit -m 'Go to Settings'
import -window root x.png
GET='x' y
curl -fsS https://example.org
test -f x
! grep -q x y
deploy() { ./x; }
"./my script"
Xvfb :1
$HOME/bin/x
~/bin/x
"$TOOL" run
select-version 3
with-contenv x
update-alternatives --list x
docker run --rm x sh -c 'SELECT'""".splitlines()


@pytest.mark.parametrize("text", FOREIGN)
def test_what_is_not_shell_is_told_with_what_it_is(text: str) -> None:
    found = [d for d in shellscript.review(text) if d.code == "GN506"]
    assert len(found) == 1
    assert FOREIGN[text] in found[0].message
    assert found[0].hint


@pytest.mark.parametrize("text", SHELL)
def test_shell_is_shell(text: str) -> None:
    assert "GN506" not in _codes(text)
