DROP TRIGGER campaigns_count_tasks ON tasks;
DROP FUNCTION campaigns_count_tasks();
ALTER TABLE campaigns DROP COLUMN tasks_total, DROP COLUMN tasks_done;
