ALTER TABLE documents ADD COLUMN search_vector tsvector;

-- v1 keeps writing while v2 comes up: the trigger fills the column for both.
CREATE FUNCTION documents_fill_search_vector() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_vector :=
        setweight(to_tsvector('english', NEW.title), 'A')
        || setweight(to_tsvector('english', NEW.body), 'B');
    RETURN NEW;
END
$$;

CREATE TRIGGER documents_search_vector
BEFORE INSERT OR UPDATE OF title, body ON documents
FOR EACH ROW EXECUTE FUNCTION documents_fill_search_vector();

UPDATE documents
SET search_vector =
    setweight(to_tsvector('english', title), 'A')
    || setweight(to_tsvector('english', body), 'B')
WHERE search_vector IS NULL;

ALTER TABLE documents ALTER COLUMN search_vector SET NOT NULL;

CREATE INDEX documents_search_vector ON documents USING gin (search_vector);

-- True when every document can be found by its words.
CREATE FUNCTION verify_migration_success() RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT bool_and(search_vector <> '') FROM documents
$$;
