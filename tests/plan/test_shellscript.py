"""What a shell block needs, and why it cannot run by itself: tables of good and bad texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.errors import Severity
from gonogo.plan import placeholders, secretwords, shellscript
from gonogo.plan.shellcalls import calls
from gonogo.plan.shellsyntax import split

NEEDS = {
    "echo $APP_URL": ["APP_URL"],
    'echo "${APP_URL}/x"': ["APP_URL"],
    "echo '$APP_URL'": [],
    "# $APP_URL": [],
    "echo \\$APP_URL": [],
    "echo ${APP_URL:-x} ${APP_URL-x} ${APP_URL:=x}": [],
    "echo ${APP_URL:?needed}": ["APP_URL"],
    "echo $app $A $1 $? $$ $@": [],
    "APP_URL=x\necho $APP_URL": [],
    "APP_URL=x echo $APP_URL": ["APP_URL"],
    "export APP_URL=x && echo $APP_URL": [],
    "export APP_URL && echo $APP_URL": ["APP_URL"],
    "read -r NAME <f\necho $NAME": [],
    "for HOST in a b; do echo $HOST; done": [],
    "while read LINE; do echo $LINE; done <f": [],
    "echo $HOME $PATH $BASH_VERSION $GONOGO_RUN $RANDOM $LC_ALL": [],
    "echo $(curl $APP_URL)": ["APP_URL"],
    "echo `curl $APP_URL`": ["APP_URL"],
    "cat <<X\n$APP_URL\nX": ["APP_URL"],
    "cat <<'X'\n$APP_URL\nX": [],
    "source .env\necho $APP_URL": [],
    "echo $FIRST\nsource .env\necho $APP_URL": ["FIRST"],
    "echo $APP_URL $APP_URL $TOKEN": ["APP_URL", "TOKEN"],
    "echo ${#APP_URL} ${APP_URL%/}": ["APP_URL"],
    "echo $((APP_PORT + $OFFSET))": ["OFFSET"],
    "FILES=(a b)\necho ${FILES[@]}": [],
    "printf -v STAMP %s x; echo $STAMP": [],
    "[[ $A_B < 3 && -n $C_D ]] && x": ["A_B", "C_D"],
    'psql "$DATABASE_URL" -c "SELECT \'$NAME\'"': ["DATABASE_URL", "NAME"],
}


@pytest.mark.parametrize("text", NEEDS)
def test_the_variables_that_must_be_bound(text: str) -> None:
    assert [v.name for v in shellscript.variables(text)] == NEEDS[text]


def test_a_variable_is_placed_where_it_stands() -> None:
    (found,) = shellscript.variables("a\n  curl ${APP_URL}/x\n")
    assert (found.span.line, found.span.column, found.span.end_column) == (2, 8, 18)


ENDLESS = """\
tail -f app.log
tail -100f app.log
tail -n 50 -F app.log
sudo tail --follow=name app.log
watch -n 30 psql
docker logs -f web
docker compose logs -f --tail=100 web
docker compose up
docker-compose -f a.yml up --build
kubectl logs -f deploy/web
kubectl get pods -w
kubectl -n prod port-forward svc/web 8080:80
kubectl port-forward svc/web 8080:80 | tee log
heroku logs --tail -a shop
journalctl -u app -f
top
htop
docker stats
npm run dev
npm start
pnpm dev
yarn start:dev
npx next dev
vite
rails s
bundle exec rails server
php artisan queue:work
python manage.py runserver
python3 -m http.server 8000
uvicorn app:app
redis-cli MONITOR
sleep infinity
ping example.org
vmstat 5
while true; do date; sleep 5; done
while :; do date; done
until false; do date; done
for ((;;)); do date; done
ssh web 'tail -f /var/log/app.log'
bash -c "tail -f x"
cd app && npm run dev
ssh -N -L 5432:db:5432 bastion
stern web
aws logs tail group --follow""".splitlines()
ENDING = """\
tail -50 app.log
tail -n 50 app.log
timeout 30 tail -f app.log
tail -f app.log | head -5
tail -f app.log | grep -m1 started
tail -f app.log &
docker logs --tail 100 web
docker logs web --since 5m
docker compose up -d
docker compose up -d --wait
docker compose -f docker-compose.yml logs --tail=50
docker-compose up --detach
kubectl logs deploy/web
kubectl get pods
kubectl rollout status deployment/web
kubectl port-forward svc/web 8080:80 &
kubectl wait --for=condition=ready pod/x
journalctl -u app --since '5 min ago'
top -b -n 1
docker stats --no-stream
npm run build
npm test
npm ci
yarn install
npx next build
vite build
rails db:migrate
python manage.py migrate
redis-cli PING
sleep 5
ping -c 3 example.org
vmstat 1 5
while true; do ready && break; sleep 1; done
while read line; do echo $line; done < f
for i in 1 2 3; do echo $i; done
echo 'tail -f x'
grep watch file
git log --follow file
# tail -f x
cat <<X
tail -f app.log
X""".replace("cat <<X\ntail -f app.log\nX", "cat <<X|tail -f app.log|X").splitlines()


def _codes(text: str) -> list[str]:
    return [d.code for d in shellscript.review(text) if d.severity is Severity.ERROR]


@pytest.mark.parametrize("text", ENDLESS)
def test_a_command_that_never_ends_is_a_mistake_with_advice(text: str) -> None:
    found = [d for d in shellscript.review(text) if d.code == "GN502"]
    assert len(found) == 1
    assert found[0].hint
    assert found[0].severity is Severity.ERROR


@pytest.mark.parametrize("text", ENDING)
def test_a_command_that_ends_is_not(text: str) -> None:
    assert "GN502" not in _codes(text.replace("|tail -f app.log|", "\ntail -f app.log\n"))


WAITING = """\
ssh web1
ssh -p 2222 deploy@web1
nano .env
sudo vi /etc/hosts
less app.log
psql
psql $DATABASE_URL
psql -h db -U app shop
mysql -u root shop
redis-cli
redis-cli -h cache -p 6379
python3
node
rails console
bundle exec rails c
docker exec -it web bash
docker exec -ti web sh -c 'ls'
docker compose exec -it web bash
docker run -it --rm image
docker run --rm -i -t image
kubectl exec -it pod -- sh
sudo -i
sudo su -
su postgres
read -p 'Continue? ' answer
docker login
npm login
gh auth login
python manage.py createsuperuser
python manage.py shell
php artisan tinker
git rebase -i HEAD~3
git commit
git add -p
crontab -e
visudo
apt install nginx
kubectl edit deploy web
bash
heroku pg:psql -a shop
less app.log && echo x""".splitlines()
NOT_WAITING = """\
ssh web1 uptime
ssh web1 'systemctl restart app'
ssh -f -N -L 1:2:3 web1
echo ls | ssh web1
psql -c 'SELECT 1'
psql -f up.sql -v ON_ERROR_STOP=1
psql --version
psql -l
psql -v ON_ERROR_STOP=1 < up.sql
echo 'SELECT 1' | psql -v ON_ERROR_STOP=1
mysql -e 'SELECT 1'
mysql shop < up.sql
redis-cli PING
redis-cli -h cache GET key
redis-cli --scan --pattern x
python3 script.py
python3 -c 'print(1)'
python3 -m pytest
node server.js --check
rails db:migrate
docker exec web ls
docker exec -i db psql -c 'SELECT 1'
docker compose exec -T web ls
docker run --rm image
kubectl exec pod -- ls -it
sudo systemctl restart app
sudo -u postgres psql -c 'SELECT 1'
su postgres -c 'psql -l'
while read -r line; do echo $line; done < f
echo x | read y
docker login --password-stdin < token
echo $T | docker login -u x --password-stdin
gh auth login --with-token < t
python manage.py createsuperuser --noinput
git rebase main
git commit -m x
git commit --amend --no-edit
git log | less | head
crontab -l
apt-get install -y nginx
apt-get update
kubectl apply -f x
bash deploy.sh
bash -s < deploy.sh
echo nano
which vim""".splitlines()


@pytest.mark.parametrize("text", WAITING)
def test_a_command_that_waits_for_a_person_is_a_mistake_with_advice(text: str) -> None:
    found = [d for d in shellscript.review(text) if d.code == "GN504"]
    assert len(found) == 1
    assert found[0].hint


@pytest.mark.parametrize("text", NOT_WAITING)
def test_a_command_that_needs_nobody_is_not(text: str) -> None:
    assert _codes(text) == []


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


EMPTY = {"": "GN507", "# only\n# comments": "GN507", "\n\n": "GN507", "A=1\nexport B": None}


@pytest.mark.parametrize("text", EMPTY)
def test_nothing_to_run_is_a_mistake(text: str) -> None:
    assert _codes(text) == ([EMPTY[text]] if EMPTY[text] else [])


def test_a_block_that_only_sets_variables_is_worth_a_warning() -> None:
    assert [d.code for d in shellscript.review("A=1\nB=2")] == ["GN511"]
    assert shellscript.review("A=1\n./x $A") == ()


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


WARNINGS = {
    "curl https://x/health": ["GN508"],
    "curl -s https://x | jq .": ["GN508"],
    "curl https://x | head -5": ["GN508"],
    "curl -sf https://x": [],
    "curl --fail-with-body https://x": [],
    "curl -s https://x | grep -c ok": [],
    "curl -s https://x | jq -e .ok": [],
    "test $(curl -s -o /dev/null -w '%{http_code}' https://x) = 200": [],
    "psql -f up.sql": ["GN509"],
    "psql < up.sql": ["GN509"],
    "echo 'SELECT 1' | psql": ["GN509"],
    "psql -v ON_ERROR_STOP=1 -f up.sql": [],
    "psql --set=ON_ERROR_STOP=on < up.sql": [],
    "psql -c 'SELECT 1'": [],
}


@pytest.mark.parametrize("text", WARNINGS)
def test_an_exit_code_that_proves_nothing_is_worth_a_warning(text: str) -> None:
    found = [d.code for d in shellscript.review(text) if d.severity is Severity.WARNING]
    assert found == WARNINGS[text]


def test_a_reader_that_ends_early_is_worth_a_note() -> None:
    assert [d.code for d in shellscript.early_ends("docker images | head -2")] == ["GN518"]
    assert list(shellscript.early_ends("echo a | head -2; docker images | wc -l")) == []


def test_calls_are_seen_through_what_runs_them() -> None:
    text = "sudo -u app timeout 5 env A=1 docker exec -i x sh -c 'cd y && \"./z 1\" -a'"
    assert [call.name for call in calls(split(text))][-2:] == ["cd", "z 1"]


_PIECES = st.sampled_from(
    [
        "'",
        '"',
        "`",
        "$(",
        "${",
        ")",
        "}",
        "<<X\n",
        "X\n",
        "case a in ",
        "esac",
        "[[ ",
        "((",
        "))",
        "\\",
    ]
    + ["while true; do ", "done", "\n", "#", " | ", "&", "a=(", "$'", "f() {", "$NAME", "psql -c "]
)


@settings(max_examples=300)
@given(st.lists(_PIECES, max_size=30).map("".join) | st.text())
def test_any_text_is_read_and_every_place_lies_inside(text: str) -> None:
    lines = text.split("\n")
    spans = [d.span for d in shellscript.review(text)] + [
        v.span for v in shellscript.variables(text)
    ]
    for span in spans:
        assert 1 <= span.line <= span.end_line <= len(lines)
        assert span.column >= 1
        assert span.end_column <= len(lines[span.end_line - 1]) + 2
    list(shellscript.early_ends(text))


@pytest.mark.parametrize(
    "piece",
    ["$(", "`", '"$(', "${a:-", '"${a:-', "(", "a <<X\n", "'", "<x>", "# or\na\n", "tail -f x |"],
)
def test_hostile_nesting_takes_linear_time_and_never_breaks(piece: str) -> None:
    shellscript.review(piece * 3000)


@given(st.text())
def test_placeholders_lie_inside_and_never_overlap(text: str) -> None:
    for language in placeholders.Language:
        end = 0
        for found in placeholders.find(text, language):
            assert found.at >= end
            end = found.end
            assert text[found.at : end] == found.text
