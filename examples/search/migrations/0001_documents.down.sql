DROP VIEW refresh_failures;
DROP FUNCTION refresh_views();
DROP TABLE mv_refresh_log;
DROP VIEW cache_counters;
DROP TABLE query_cache;
DROP TABLE request_figures;
DROP MATERIALIZED VIEW topic_counts;
DROP TABLE audit_log;
DROP TABLE documents;
