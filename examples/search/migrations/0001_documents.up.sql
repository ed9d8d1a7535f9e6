CREATE TABLE documents (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      text        NOT NULL,
    title      text        NOT NULL UNIQUE,
    body       text        NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit_log (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT now(),
    who    text        NOT NULL,
    path   text        NOT NULL,
    status integer     NOT NULL
);

INSERT INTO documents (topic, title, body)
SELECT
    topic,
    format(form, topic),
    format('What the night shift should know about the %s. %s', topic, advice)
FROM unnest(ARRAY[
    'backup', 'certificate', 'cache', 'database', 'deploy key', 'disk', 'domain', 'firewall',
    'load balancer', 'log', 'mail queue', 'migration', 'password', 'proxy', 'replica',
    'report', 'scheduler', 'search index', 'session', 'worker'
]) AS topic
CROSS JOIN (VALUES
    ('How to check the %s',             'Look first, then touch: read its state twice, a minute apart.'),
    ('How to move the %s',              'Announce it, copy it, compare both sides, and only then switch.'),
    ('How to restart the %s',           'One at a time, and wait until it answers before the next one.'),
    ('How to test the %s',              'A test that cannot fail says nothing; break it once on purpose.'),
    ('How to watch the %s',             'Write down the number at which somebody must be woken.'),
    ('What a broken %s looks like',     'Slow answers come first, errors later, silence last.'),
    ('What to do when the %s is full',  'Make room for an hour, then find out who filled it.'),
    ('What to do when the %s is gone',  'Do not recreate it by hand before its last copy is found.'),
    ('What to do when the %s is slow',  'Measure from both ends; the network is rarely the reason.'),
    ('When to renew the %s',            'Two weeks before its end, on a weekday, before lunch.'),
    ('Where the %s lives',              'The address is in the inventory; the inventory is in the repository.'),
    ('Who may change the %s',           'Two people of the team, one of them awake.'),
    ('Why the %s was changed',          'The decision is in the notes, with the date and the price.'),
    ('Checklist for a new %s',          'Name, owner, limit, alarm, copy, end of life.'),
    ('Checklist for retiring a %s',     'Nobody reads it, nobody writes it, one last copy is kept.'),
    ('Costs of the %s',                 'Counted per month, with the growth of the last quarter.'),
    ('History of the %s',               'Three incidents, two of them on a Friday.'),
    ('Limits of the %s',                'Found by a load test, not taken from the manual.'),
    ('Questions about the %s',          'Asked by new colleagues, answered by the one before them.'),
    ('Rolling back the %s',             'The way back is tried before the way forward is taken.')
) AS forms (form, advice);

CREATE MATERIALIZED VIEW topic_counts AS
SELECT topic, count(*) AS documents FROM documents GROUP BY topic;

CREATE UNIQUE INDEX topic_counts_topic ON topic_counts (topic);
