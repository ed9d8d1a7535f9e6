-- The table is named with its schema because PostgreSQL 17 and newer refresh a view with an empty search path,
-- and the inner statement is a text that is looked up only then.
CREATE MATERIALIZED VIEW popular_terms AS
SELECT word AS term, ndoc AS documents
FROM ts_stat($$SELECT to_tsvector('simple', title) FROM public.documents$$)
WHERE char_length(word) >= 4 AND ndoc BETWEEN 5 AND 100;

CREATE UNIQUE INDEX popular_terms_term ON popular_terms (term);
