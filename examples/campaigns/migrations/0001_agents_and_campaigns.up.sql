CREATE TABLE agents (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text        NOT NULL UNIQUE,
    in_service   boolean     NOT NULL DEFAULT true,
    last_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE campaigns (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tasks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id bigint NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    agent_id    bigint REFERENCES agents (id),
    state       text   NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done')),
    done_at     timestamptz
);

CREATE INDEX tasks_campaign ON tasks (campaign_id, state);
CREATE INDEX tasks_agent ON tasks (agent_id);

-- Statements that took longer than the service allows itself; nobody needs to be asked for them.
CREATE TABLE slow_queries (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz      NOT NULL DEFAULT now(),
    release   text             NOT NULL,
    statement text             NOT NULL,
    took_ms   double precision NOT NULL
);

INSERT INTO agents (name) VALUES ('barge'), ('crane'), ('ferry'), ('tug');

INSERT INTO campaigns (name) VALUES ('autumn survey'), ('harbour map'), ('tide tables');

INSERT INTO tasks (campaign_id, agent_id, state, done_at)
SELECT
    1 + number % 3,
    1 + number % 4,
    'done',
    date_trunc('hour', now()) - make_interval(mins => number)
FROM generate_series(1, 1200) AS number;
