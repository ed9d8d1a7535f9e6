DROP FUNCTION verify_migration_success();
DROP INDEX documents_search_vector;
DROP TRIGGER documents_search_vector ON documents;
DROP FUNCTION documents_fill_search_vector();
ALTER TABLE documents DROP COLUMN search_vector;
