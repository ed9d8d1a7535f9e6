CREATE TABLE agent_metrics (
    agent_id     bigint PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE,
    tasks_done   integer NOT NULL,
    busiest_hour timestamptz
);

INSERT INTO agent_metrics (agent_id, tasks_done, busiest_hour)
SELECT
    agent_id,
    sum(done),
    (array_agg(hour ORDER BY done DESC, hour))[1]
FROM (
    SELECT agent_id, date_trunc('hour', done_at) AS hour, count(*) AS done
    FROM tasks
    WHERE state = 'done' AND agent_id IS NOT NULL
    GROUP BY 1, 2
) AS hours
GROUP BY agent_id;
