DROP TABLE slow_queries;
DROP TABLE tasks;
DROP TABLE campaigns;
DROP TABLE agents;
