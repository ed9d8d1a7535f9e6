ALTER TABLE campaigns
    ADD COLUMN tasks_total integer NOT NULL DEFAULT 0,
    ADD COLUMN tasks_done  integer NOT NULL DEFAULT 0;

-- v1 keeps writing while v2 comes up: the trigger counts for both.
CREATE FUNCTION campaigns_count_tasks() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        UPDATE campaigns
        SET tasks_total = tasks_total - 1, tasks_done = tasks_done - (OLD.state = 'done')::int
        WHERE id = OLD.campaign_id;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        UPDATE campaigns
        SET tasks_total = tasks_total + 1, tasks_done = tasks_done + (NEW.state = 'done')::int
        WHERE id = NEW.campaign_id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER campaigns_count_tasks
AFTER INSERT OR UPDATE OR DELETE ON tasks
FOR EACH ROW EXECUTE FUNCTION campaigns_count_tasks();

UPDATE campaigns
SET tasks_total = counted.tasks_total, tasks_done = counted.tasks_done
FROM (
    SELECT campaign_id, count(*) AS tasks_total, count(*) FILTER (WHERE state = 'done') AS tasks_done
    FROM tasks GROUP BY campaign_id
) AS counted
WHERE campaigns.id = counted.campaign_id;
