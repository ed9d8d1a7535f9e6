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

-- What the service was asked, in slots of five minutes; each release adds to its own rows.
CREATE TABLE request_figures (
    slot       timestamptz      NOT NULL,
    release    text             NOT NULL,
    path       text             NOT NULL,
    requests   bigint           NOT NULL,
    errors     bigint           NOT NULL,
    total_ms   double precision NOT NULL,
    slowest_ms double precision NOT NULL,
    PRIMARY KEY (slot, release, path)
);

-- How often each question was asked, and how often the cache knew the answer.
CREATE TABLE query_cache (
    release  text        NOT NULL,
    query    text        NOT NULL,
    lookups  bigint      NOT NULL,
    hits     bigint      NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (release, query)
);

CREATE VIEW cache_counters AS
SELECT coalesce(sum(hits), 0)::bigint AS hits, coalesce(sum(lookups), 0)::bigint AS lookups
FROM query_cache;

CREATE TABLE mv_refresh_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz      NOT NULL DEFAULT clock_timestamp(),
    view_name   text             NOT NULL,
    duration_ms double precision NOT NULL,
    error       text -- NULL: it went well
);

-- Each view is refreshed in a block of its own: one that fails takes neither the others back nor
-- the row that says so.
CREATE FUNCTION refresh_views() RETURNS TABLE (refreshed text, problem text)
LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
BEGIN
    FOR refreshed IN
        SELECT matviewname FROM pg_matviews WHERE schemaname = 'public' ORDER BY matviewname
    LOOP
        began := clock_timestamp();
        problem := NULL;
        BEGIN
            EXECUTE format('REFRESH MATERIALIZED VIEW CONCURRENTLY public.%I', refreshed);
        EXCEPTION WHEN OTHERS THEN
            problem := SQLERRM;
        END;
        INSERT INTO mv_refresh_log (view_name, duration_ms, error)
        VALUES (refreshed, extract(epoch FROM clock_timestamp() - began) * 1000, problem);
        RETURN NEXT;
    END LOOP;
END
$$;

-- The view that is worst off: how often its refresh failed since it last went well.
CREATE VIEW refresh_failures AS
SELECT coalesce(max(failures), 0)::bigint AS failures
FROM (
    SELECT count(*) FILTER (
        WHERE tried.error IS NOT NULL AND tried.id > (
            SELECT coalesce(max(good.id), 0) FROM mv_refresh_log AS good
            WHERE good.view_name = tried.view_name AND good.error IS NULL
        )
    ) AS failures
    FROM mv_refresh_log AS tried
    JOIN pg_matviews AS present
        ON present.matviewname = tried.view_name AND present.schemaname = 'public'
    GROUP BY tried.view_name
) AS views;
