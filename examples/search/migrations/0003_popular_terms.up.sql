-- The table is named with its schema because PostgreSQL 17 and newer refresh a view with an empty search path,
-- and the inner statement is a text that is looked up only then.
CREATE MATERIALIZED VIEW popular_terms AS
SELECT word AS term, ndoc AS documents
FROM ts_stat($$SELECT to_tsvector('simple', title) FROM public.documents$$)
WHERE char_length(word) >= 4 AND ndoc BETWEEN 5 AND 100;

CREATE UNIQUE INDEX popular_terms_term ON popular_terms (term);

-- Which part of the times that a question was asked the cache knew the answer.
CREATE MATERIALIZED VIEW question_hit_rates AS
SELECT query, sum(lookups) AS lookups, 100.0 * sum(hits) / sum(lookups) AS hit_rate_percent
FROM query_cache
GROUP BY query;

CREATE UNIQUE INDEX question_hit_rates_query ON question_hit_rates (query);

GRANT SELECT ON popular_terms, question_hit_rates TO search_api;

-- True when the terms are there and both new views can be refreshed.
CREATE FUNCTION verify_final_punchlist_migration() RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM popular_terms) AND verify_materialized_view_indexes()
$$;
