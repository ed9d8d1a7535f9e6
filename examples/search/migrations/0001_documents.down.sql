DROP MATERIALIZED VIEW topic_counts;
DROP TABLE audit_log;
DROP TABLE documents;
