"""What a shell block needs, and why it cannot run by itself: tables of good and bad texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.errors import Severity
from gonogo.plan import shellscript
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


EMPTY = {"": "GN507", "# only\n# comments": "GN507", "\n\n": "GN507", "A=1\nexport B": None}


@pytest.mark.parametrize("text", EMPTY)
def test_nothing_to_run_is_a_mistake(text: str) -> None:
    assert _codes(text) == ([EMPTY[text]] if EMPTY[text] else [])


def test_a_block_that_only_sets_variables_is_worth_a_warning() -> None:
    assert [d.code for d in shellscript.review("A=1\nB=2")] == ["GN511"]
    assert shellscript.review("A=1\n./x $A") == ()


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
        "while true; do ",
        "done",
        "\n",
        "#",
        " | ",
        "&",
        "a=(",
        "$'",
        "f() {",
        "$NAME",
        "psql -c ",
    ]
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
