"""What the author meant to fill in, and what must not stand in a runbook."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.errors import Severity
from gonogo.plan import placeholders, secretwords, shellscript


def _codes(text: str) -> list[str]:
    return [d.code for d in shellscript.review(text) if d.severity is Severity.ERROR]


UNFILLED = {
    "git checkout <sha>": "<sha>",
    "deploy v<version>": "v<version>",
    "ssh <user>@<host> ls": "<user>",
    "./x --env=<staging|production>": "<staging|production>",
    "curl -f 'https://<your domain>/x'": "<your domain>",
    "curl -f https://yourdomain.com/x": "yourdomain.com",
    "curl -f https://your-app.example.org": "your-app.example.org",
    "export KEY=YOUR_API_KEY; x $KEY": "YOUR_API_KEY",
    "gh issue close [ISSUE]": "[ISSUE]",
    "curl https://[production-url]/health": "[production-url]",
    "notify '[Contact Info]'": "[Contact Info]",
    "helm upgrade x --set tag={{ version }}": "{{ version }}",
    "docker pull app:xxx": "xxx",
    "docker pull app:XXXX": "XXXX",
    "x --token CHANGEME": "CHANGEME",
    "x REPLACE_WITH_ID": "REPLACE_WITH_ID",
    "x PASTE_TOKEN_HERE": "PASTE_TOKEN_HERE",
    "git tag vX.Y.Z": "vX.Y.Z",
    "cp backup-YYYY-MM-DD.sql x": "YYYY-MM-DD",
    "cd /path/to/app": "path/to/app",
    "./deploy ...": "...",
    "git log …": "…",
}
FILLED = """\
sort < in > out
cat <in.txt >out.txt
diff <(a) <(b)
cat <<EOF_1
x <= y
grep -q '<title>Home</title>' page
grep '<div' page
docker ps --format '{{.Names}}'
docker inspect -f '{{json .State}}' x
kubectl get x -o go-template='{{range .items}}{{end}}'
echo '[INFO] done'
grep '[ERROR]' log
ls [A-Z]*
curl http://[fe80::1]/ http://[::1]:80/
tr '[A-Z]' '[a-z]'
echo ${ARR[INDEX]}
mktemp /tmp/a.XXXXXX
mktemp -d x-XXXXXXXX
go test ./...
git diff main...x
echo $YOUR_TOKEN ${YOUR_URL}
git commit -m 'fix your bug'
psql -c "SELECT to_char(now(), 'YYYY-MM-DD')"
echo x > y; cat z
a && b || c
# git checkout <sha>
2>&1 x
git log --author='A <a@b.org>'""".splitlines()


@pytest.mark.parametrize("text", UNFILLED)
def test_an_unfilled_placeholder_is_a_mistake(text: str) -> None:
    found = [d for d in shellscript.review(text) if d.code == "GN501"]
    assert found
    assert f"`{UNFILLED[text]}`" in found[0].message
    line = text.split("\n")[0]
    assert line[found[0].span.column - 1 : found[0].span.end_column - 1] == UNFILLED[text]


@pytest.mark.parametrize("text", FILLED)
def test_what_only_looks_like_a_placeholder_is_not(text: str) -> None:
    assert "GN501" not in _codes(text)


KEY = "abcdEFGH1234" * 2
SECRETS = [
    f"export API_KEY={KEY}",
    f"PGPASSWORD='{KEY}' psql -l",
    f"psql postgres://app:{KEY}@db/shop -l",
    f"curl -f -H 'Authorization: Bearer {KEY}' u",
    f"curl -f -H 'X-Api-Key: {KEY}' u",
    f"curl -f -u admin:{KEY} u",
    f"mysql -u root -p{KEY} -e 'SELECT 1'",
    f"redis-cli -a {KEY} PING",
    f"./x --password {KEY}",
    f"./x --api-key={KEY}",
    f"sshpass -p {KEY} ssh x y",
    "x ghp_" + "a1B2" * 9,
    "x AKIA" + "A1B2" * 4,
    "x sk_live_" + "a1B2" * 5,
    f"# TOKEN={KEY}\nx",
]
NO_SECRETS = """\
export API_KEY=$SECRET_STORE
PGPASSWORD="$DB_PASSWORD" psql -l
psql postgres://app:$PASSWORD@db/shop -l
psql postgres://app@db/shop -l
curl -f -H "Authorization: Bearer $TOKEN" u
curl -f -u "$USER_NAME:$PASSWORD" u
mysql -u root -p"$PASSWORD" -e 'SELECT 1'
./x --password-file=/run/secrets/x
./x --password "$(cat /run/secrets/db)"
kubectl create secret generic x --from-file=token
echo 'the password is in the safe'
TOKEN_TTL=3600 ./x
openssl rand -hex 16
./rotate-token --token-id 12
grep -c SECRET .env
export API_KEY=••••••
API_KEY=*** ./x""".splitlines()


@pytest.mark.parametrize("text", SECRETS)
def test_a_literal_secret_is_a_mistake_that_never_repeats_it(text: str) -> None:
    found = [d for d in shellscript.review(text) if d.code == "GN505"]
    assert len(found) == 1
    for said in (found[0].message, found[0].hint, found[0].label):
        assert KEY not in said
        assert "ghp_" not in said


@pytest.mark.parametrize("text", NO_SECRETS)
def test_a_reference_to_a_secret_is_none(text: str) -> None:
    assert secretwords.find(text) == ()


@given(st.text())
def test_placeholders_lie_inside_and_never_overlap(text: str) -> None:
    for language in placeholders.Language:
        end = 0
        for found in placeholders.find(text, language):
            assert found.at >= end
            end = found.end
            assert text[found.at : end] == found.text
