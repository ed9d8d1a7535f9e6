-- A mistake that only real data shows: an agent has more than one hour, so the key is taken twice.
CREATE TABLE agent_metrics (
    agent_id     bigint PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE,
    tasks_done   integer NOT NULL,
    busiest_hour timestamptz
);

INSERT INTO agent_metrics (agent_id, tasks_done, busiest_hour)
SELECT agent_id, count(*), date_trunc('hour', done_at)
FROM tasks
WHERE state = 'done' AND agent_id IS NOT NULL
GROUP BY 1, 3;
