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

-- What the service answered, a row per request.
CREATE TABLE performance_metrics (
    created_at  timestamptz      NOT NULL,
    release     text             NOT NULL,
    path        text             NOT NULL,
    status      integer          NOT NULL,
    duration_ms double precision NOT NULL,
    cached      boolean -- NULL: nothing was looked up in the cache
);

CREATE INDEX performance_metrics_created_at ON performance_metrics (created_at);

-- The same in slots of five minutes: how often, how fast, how many errors, how much from the cache.
CREATE VIEW api_metrics_5m AS
SELECT
    date_bin('5 minutes', created_at, 'epoch') AS bucket,
    release,
    count(*) AS requests,
    count(*) FILTER (WHERE status >= 500)::float8 / count(*) AS err_rate,
    percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_ms,
    percentile_disc(0.99) WITHIN GROUP (ORDER BY duration_ms) AS p99_ms
FROM performance_metrics
GROUP BY 1, 2;

COMMENT ON COLUMN api_metrics_5m.err_rate IS 'a fraction: 0.01 is one per cent';

CREATE VIEW performance_analytics_5min AS
SELECT
    date_bin('5 minutes', created_at, 'epoch') AS bucket,
    release,
    count(cached) AS lookups,
    100.0 * count(*) FILTER (WHERE cached) / nullif(count(cached), 0) AS cache_hit_rate_percent
FROM performance_metrics
GROUP BY 1, 2;

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

-- What the cache worker has to do: ask a question so that its answer is kept, or forget an answer.
CREATE TABLE cache_jobs (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task    text        NOT NULL CHECK (task IN ('warm', 'forget')),
    query   text        NOT NULL,
    put_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (task, query)
);

-- A document that changes makes the kept answers about its topic stale.
CREATE FUNCTION documents_forget_answers() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cache_jobs (task, query) VALUES ('forget', NEW.topic) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE TRIGGER documents_forget_answers
AFTER UPDATE OF title, body ON documents
FOR EACH ROW EXECUTE FUNCTION documents_forget_answers();

CREATE TABLE mv_refresh_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at  timestamptz      NOT NULL DEFAULT clock_timestamp(),
    view_name   text             NOT NULL,
    duration_ms double precision NOT NULL,
    error       text -- NULL: it went well
);

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

-- Each view is refreshed in a block of its own: one that fails takes neither the others back nor
-- the row that says so.
CREATE FUNCTION refresh_one_view(view_name text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    began   timestamptz := clock_timestamp();
    problem text;
BEGIN
    BEGIN
        EXECUTE format('REFRESH MATERIALIZED VIEW CONCURRENTLY public.%I', view_name);
    EXCEPTION WHEN OTHERS THEN
        problem := SQLERRM;
    END;
    INSERT INTO mv_refresh_log (started_at, view_name, duration_ms, error)
    VALUES (began, view_name, extract(epoch FROM clock_timestamp() - began) * 1000, problem);
    RETURN problem;
END
$$;

-- One view after the other, with a pause between them, so that the database breathes.
CREATE FUNCTION refresh_materialized_views_staggered(pause_s double precision DEFAULT 0.2)
RETURNS TABLE (refreshed text, problem text)
LANGUAGE plpgsql AS $$
BEGIN
    FOR refreshed IN
        SELECT matviewname FROM pg_matviews WHERE schemaname = 'public' ORDER BY matviewname
    LOOP
        problem := refresh_one_view(refreshed);
        RETURN NEXT;
        PERFORM pg_sleep(pause_s);
    END LOOP;
END
$$;

-- All of them without a pause; how long it took, and how many failed.
CREATE FUNCTION refresh_analytics_views_concurrent(OUT views bigint, OUT failed bigint, OUT seconds double precision)
LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz := clock_timestamp();
BEGIN
    SELECT count(*), count(problem) INTO views, failed
    FROM refresh_materialized_views_staggered(0);
    seconds := extract(epoch FROM clock_timestamp() - began);
END
$$;

-- True when every materialized view can be refreshed without locking its readers out.
CREATE FUNCTION verify_materialized_view_indexes() RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(bool_and(EXISTS (
        SELECT FROM pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid
            AND i.indpred IS NULL AND i.indexprs IS NULL
    )), false)
    FROM pg_class AS c
    WHERE c.relkind = 'm' AND c.relnamespace = 'public'::regnamespace
$$;

-- The objectives, beside the last quarter of an hour; NULL where nobody asked.
CREATE FUNCTION check_slo_compliance()
RETURNS TABLE (objective text, measured double precision, target text, met boolean)
LANGUAGE sql STABLE AS $$
    WITH recent AS (
        SELECT * FROM performance_metrics WHERE created_at > now() - interval '15 minutes'
    ), figures AS (
        SELECT
            percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95,
            percentile_disc(0.99) WITHIN GROUP (ORDER BY duration_ms) AS p99,
            100.0 * count(*) FILTER (WHERE status >= 500) / nullif(count(*), 0) AS errors,
            100.0 * count(*) FILTER (WHERE cached) / nullif(count(cached), 0) AS hits
        FROM recent
    )
    SELECT 'p95 in ms', p95, '< 500', p95 < 500 FROM figures
    UNION ALL SELECT 'p99 in ms', p99, '< 1000', p99 < 1000 FROM figures
    UNION ALL SELECT 'errors in %', errors, '< 1', errors < 1 FROM figures
    UNION ALL SELECT 'cache hits in %', hits, '>= 30', hits >= 30 FROM figures
$$;

-- Ask for the answers to the questions that are asked most; the cache worker does it.
CREATE FUNCTION warm_cache_top_queries(how_many integer) RETURNS bigint
LANGUAGE sql AS $$
    WITH top AS (
        SELECT query FROM query_cache
        GROUP BY query ORDER BY sum(lookups) DESC, query LIMIT how_many
    ), put AS (
        INSERT INTO cache_jobs (task, query) SELECT 'warm', query FROM top
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM put
$$;

-- Wait until the cache worker has done what was waiting, so many tasks at most; how many of them
-- are still there when the time is up. 0 is good.
CREATE FUNCTION drain_cache_invalidation_queue(how_many integer, within_s double precision)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    waiting bigint[] := ARRAY(SELECT id FROM cache_jobs ORDER BY id LIMIT how_many);
    until   timestamptz := clock_timestamp() + make_interval(secs => within_s);
    left_over bigint;
BEGIN
    LOOP
        SELECT count(*) INTO left_over FROM cache_jobs WHERE id = ANY (waiting);
        EXIT WHEN left_over = 0 OR clock_timestamp() > until;
        PERFORM pg_sleep(0.1);
    END LOOP;
    RETURN left_over;
END
$$;

-- Forget the counts of questions that nobody has asked for a day, and requests of two days ago.
CREATE FUNCTION clean_expired_cache() RETURNS bigint
LANGUAGE sql AS $$
    WITH old AS (
        DELETE FROM performance_metrics WHERE created_at < now() - interval '2 days'
    ), gone AS (
        DELETE FROM query_cache WHERE asked_at < now() - interval '1 day' RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- The service works under a role of its own, which may do what it needs and no more. Roles belong to
-- the whole server, so another database may have made it already.
DO $$
BEGIN
    CREATE ROLE search_api NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

GRANT USAGE ON SCHEMA public TO search_api;
GRANT SELECT ON documents, topic_counts TO search_api;
GRANT SELECT, INSERT ON audit_log, performance_metrics TO search_api;
GRANT SELECT, INSERT, UPDATE ON query_cache TO search_api;

-- Who asks stands in the setting `search.role`. Anybody is noted down; only admins read the notes.
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE performance_metrics ENABLE ROW LEVEL SECURITY;
CREATE POLICY noted ON audit_log FOR INSERT TO search_api WITH CHECK (true);
CREATE POLICY noted ON performance_metrics FOR INSERT TO search_api WITH CHECK (true);
CREATE POLICY read_by_admins ON audit_log FOR SELECT TO search_api
    USING (current_setting('search.role', true) = 'admin');
CREATE POLICY read_by_admins ON performance_metrics FOR SELECT TO search_api
    USING (current_setting('search.role', true) = 'admin');
