DROP FUNCTION verify_final_punchlist_migration();
DROP MATERIALIZED VIEW question_hit_rates;
DROP MATERIALIZED VIEW popular_terms;
