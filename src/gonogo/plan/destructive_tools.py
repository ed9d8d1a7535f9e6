"""Which subcommands of containers, clouds, clusters and migration tools destroy something."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gonogo.plan.shellcalls import Call

_DOCKER_VALUES = "-f -p -H --file --project-name --context --filter"
_KUBE_VALUES = "-n -f -l -c --namespace --context --kubeconfig -o --filename --selector"


def _docker(call: Call) -> str | None:
    words = call.plain(_DOCKER_VALUES)
    if call.name in {"docker-compose", "podman-compose"}:
        words = ("compose", *words)
    match words:
        case ("compose", "down", *_) if call.has("-v", "--volumes"):
            return "volumes of the project"
        case ("compose", "rm", *names) if call.has("-v"):
            return " ".join(names) or "volumes of the project"
        case ("volume" | "stack", "rm" | "remove", *names):
            return " ".join(names)
        case ("rm", *names) if call.has("-v", "--volumes"):
            return " ".join(names)
        case ("volume", "prune", *_):
            return "unused volumes"
        case ("system", "prune", *_) if call.has("--volumes"):
            return "unused volumes and images"
        case ("system" | "image", "prune", *_) if call.has("-a", "--all"):
            return "images of earlier releases"
        case _:
            return None


def _kubectl(call: Call) -> str | None:
    words = call.plain(_KUBE_VALUES)
    if words[:1] == ("delete",):
        return " ".join(words[1:]) or call.value("-f", "--filename", "-l", "--selector") or ""
    if words[:1] == ("replace",) and call.has("--force"):
        return call.value("-f", "--filename") or ""
    return None


def _helm(call: Call) -> str | None:
    words = call.plain("-n --namespace --kube-context --timeout")
    if words[:1] and words[0] in {"uninstall", "delete", "del", "un"}:
        return " ".join(words[1:])
    return None


def _terraform(call: Call) -> str | None:
    words = call.plain("-chdir -target -var-file -var")
    words = words[1:] if words[:1] == ("run-all",) else words
    if words[:1] == ("destroy",) or (words[:1] == ("apply",) and "-destroy" in call.args):
        return " ".join(words[1:]) or "everything in the state"
    if words[:2] == ("state", "rm"):
        return " ".join(words[2:])
    return None


def _pulumi(call: Call) -> str | None:
    return "the stack" if call.plain()[:1] in (("destroy",), ("down",)) else None


def _aws(call: Call) -> str | None:
    words = call.plain("--region --profile --output")
    match words:
        case ("s3", "rm", *names) if call.has("--recursive"):
            return " ".join(names)
        case ("s3", "rb", *names):
            return " ".join(names)
        case ("s3", "sync", *names) if call.has("--delete"):
            return " ".join(names[1:])
        case (str(), str(verb), *_) if re.match(r"(?:delete|terminate|purge|deregister)-", verb):
            return " ".join(words[2:]) or verb
        case _:
            return None


def _by_verb(verbs: str) -> Callable[[Call], str | None]:
    """Return a rule for a tool whose words contain a destroying verb; the rest is the target."""
    known = frozenset(verbs.split())

    def rule(call: Call) -> str | None:
        words = call.plain("--project --zone --region -a --app -g --resource-group -s --stanza")
        for index, word in enumerate(words[:4]):
            if word in known:
                return " ".join(words[index + 1 :]) or " ".join(words[:index]) or call.name
        return None

    return rule


def _gsutil_sync(call: Call) -> str | None:
    """Recognise `rsync -d`, which removes what the source does not have."""
    words = call.plain("-x")
    return words[-1] if words[:1] == ("rsync",) and call.has("-d") else None


def _supabase(call: Call) -> str | None:
    words = call.plain()
    if words[:2] in (("db", "reset"), ("migration", "down"), ("projects", "delete")):
        return "the database" if words[0] != "projects" else " ".join(words[2:])
    if words[:2] in (("branches", "delete"), ("storage", "rm"), ("functions", "delete")):
        return " ".join(words[2:])
    return None


def _rake(call: Call) -> str | None:
    lost = re.compile(r"db:(?:drop|reset|purge|schema:load|structure:load|migrate:reset|setup)\b")
    return "the database" if any(lost.match(arg) for arg in call.args) else None


def _prisma(call: Call) -> str | None:
    words = call.plain("--schema")
    if words[:2] == ("migrate", "reset") or call.has("--force-reset", "--accept-data-loss"):
        return "the database"
    return None


def _php(call: Call) -> str | None:
    lost = {"migrate:fresh", "migrate:reset", "migrate:refresh", "db:wipe", "queue:flush"}
    found = [arg for arg in call.args if arg in lost or arg == "queue:clear"]
    if call.args[:1] in (("artisan",), ("./artisan",)) and found:
        return "the queue" if found[0].startswith("queue") else "the database"
    return None


def _manage_py(call: Call) -> str | None:
    lost = {"flush", "reset_db", "sqlflush"} - {"sqlflush"}
    for index, arg in enumerate(call.args):
        if arg.endswith("manage.py") and call.args[index + 1 : index + 2]:
            return "the database" if call.args[index + 1] in lost else None
    return None


def _django_script(call: Call) -> str | None:
    return "the database" if call.args[:1] in (("flush",), ("reset_db",)) else None


def _mongo(call: Call) -> str | None:
    text = call.value("--eval") or ""
    match = re.search(
        r"(\w+)(?:\([^()]*\))?\.(?:dropDatabase|drop|deleteMany|remove)\(\s*(?:\{\s*\})?\s*\)", text
    )
    return match[1] if match else None


def _rsync(call: Call) -> str | None:
    if not any(arg.startswith("--delete") or arg == "--del" for arg in call.args):
        return None
    if call.has("-n"):
        return None
    return " ".join(call.plain("-e --exclude --include --filter --rsh")[-1:])


def _word(words: str, target: str) -> Callable[[Call], str | None]:
    """Return a rule for a tool that destroys when its words, in this order, hold these."""
    known = [tuple(line.split()) for line in words.split(",")]

    def rule(call: Call) -> str | None:
        args = call.args
        for wanted in known:
            places = [args.index(word) if word in args else -1 for word in wanted]
            if -1 not in places and places == sorted(places):
                return target
        return None

    return rule


def _target(call: Call) -> str | None:
    """Recognise targets of make and scripts of npm whose name says it: `make db-reset`."""
    words = call.plain("-C -f -j --directory --prefix -w --workspace")
    if call.name in {"npm", "pnpm", "yarn", "bun"}:
        words = words[1:] if words[:1] in (("run",), ("run-script",)) else ()
    for word in words:
        parts = set(re.split(r"[-_:./]", word.lower()))
        if parts & _LOSING or (parts & _EMPTYING and parts & _OF_DATA):
            return word
    return None


_LOSING = frozenset(("drop", "wipe", "nuke", "destroy", "truncate"))
_EMPTYING = frozenset(("reset", "clean", "clear", "delete", "remove", "purge", "flush"))
_OF_DATA = frozenset("db database data volumes schema tables redis queue queues".split())  # noqa: SIM905


def _celery(call: Call) -> str | None:
    return "the queue" if "purge" in call.args else None


def _kafka(call: Call) -> str | None:
    return (call.value("--topic") or "topics") if call.has("--delete") else None


def _mongorestore(call: Call) -> str | None:
    return (call.value("--db", "-d") or "collections") if call.has("--drop") else None


TOOLS: Mapping[str, Callable[[Call], str | None]] = {
    **dict.fromkeys(("docker", "podman", "nerdctl", "docker-compose", "podman-compose"), _docker),
    **dict.fromkeys(("kubectl", "oc"), _kubectl),
    "helm": _helm,
    **dict.fromkeys(("terraform", "tofu", "terragrunt"), _terraform),
    "pulumi": _pulumi,
    "aws": _aws,
    "gcloud": _by_verb("delete restore"),
    "az": _by_verb("delete purge delete-batch"),
    "doctl": _by_verb("delete destroy"),
    "gsutil": lambda call: _by_verb("rm rb")(call) or _gsutil_sync(call),
    "rclone": _by_verb("delete purge sync"),
    "mc": _by_verb("rm rb"),
    "fly": _by_verb("destroy delete"),
    "flyctl": _by_verb("destroy delete"),
    "vercel": _by_verb("rm remove"),
    "heroku": _by_verb("pg:reset apps:destroy pg:backups:restore addons:destroy redis:reset"),
    "supabase": _supabase,
    **dict.fromkeys(("rails", "rake", "bin/rails"), _rake),
    "prisma": _prisma,
    "php": _php,
    "artisan": lambda call: _php(_with_script(call)),
    **dict.fromkeys(("python", "python3"), _manage_py),
    "manage.py": _django_script,
    "django-admin": _django_script,
    "flyway": _by_verb("clean"),
    "liquibase": _by_verb("drop-all dropAll"),
    "sequelize": _by_verb("db:drop db:migrate:undo:all"),
    "sequelize-cli": _by_verb("db:drop db:migrate:undo:all"),
    "typeorm": _by_verb("schema:drop"),
    "mysqladmin": _by_verb("drop"),
    "pgbackrest": _by_verb("restore"),
    "barman": _by_verb("recover"),
    "wal-g": _by_verb("backup-fetch delete"),
    "restic": _by_verb("forget prune"),
    "zfs": _by_verb("destroy rollback"),
    "zpool": _by_verb("destroy"),
    "vault": _by_verb("destroy delete"),
    "rabbitmqctl": _by_verb("purge_queue delete_queue reset force_reset"),
    "npm": lambda call: _by_verb("unpublish")(call) or _target(call),
    **dict.fromkeys(("make", "gmake", "just", "task", "yarn", "pnpm", "bun"), _target),
    "sgdisk": lambda call: " ".join(call.plain()) if call.has("-Z", "-z", "--zap-all") else None,
    "parted": _word("mklabel,rm", "the partitions"),
    **dict.fromkeys(("mongosh", "mongo"), _mongo),
    "mongorestore": _mongorestore,
    "rsync": _rsync,
    "celery": _celery,
    **dict.fromkeys(("goose", "goose-cli"), _word("reset,down-to 0", "the database")),
    "alembic": _word("downgrade base", "the database"),
    "dbmate": _word("drop", "the database"),
    "migrate": _word("drop,down -all", "the database"),
    "knex": _word("migrate:rollback --all", "the database"),
    "hasura": _word("apply --down all", "the database"),
    "diesel": _word("database reset,database drop", "the database"),
    "sqlx": _word("database reset,database drop", "the database"),
    "mix": _word("ecto.drop,ecto.reset", "the database"),
    "dotnet": _word("ef database drop", "the database"),
    "wp": _word("db reset,db drop,db clean", "the database"),
    "drush": _word("sql-drop,sql:drop,site-install", "the database"),
    "gh": _word("repo delete,release delete", "the repository or release"),
    "etcdctl": _word("del --prefix", "keys by prefix"),
    "consul": _word("kv delete -recurse", "keys by prefix"),
    "vagrant": _by_verb("destroy"),
    "virsh": _by_verb("undefine destroy"),
    **dict.fromkeys(("lxc", "incus"), _by_verb("delete")),
    "nomad": _word("job stop -purge,stop -purge", "the job"),
    "rabbitmqadmin": _by_verb("delete purge"),
    **dict.fromkeys(("pg_dropcluster", "pg_resetwal"), lambda call: " ".join(call.plain()) or None),
    **dict.fromkeys(("kafka-topics", "kafka-topics.sh"), _kafka),
}


def _with_script(call: Call) -> Call:
    """Return the call as if it had been made through `php`."""
    return Call(call.name, ("artisan", *call.args), call.command, call.at, call.end)
