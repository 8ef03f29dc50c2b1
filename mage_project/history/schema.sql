-- The tables of the history, as the migrations leave them (a test compares the two). Both SQLite and Postgres read this.
-- Moments are seconds since 1970, UTC; execution dates and intervals are naive UTC in ISO's format; maps are JSON.

CREATE TABLE run (
    run_id TEXT NOT NULL PRIMARY KEY,
    pipeline TEXT NOT NULL,
    status TEXT NOT NULL,
    trigger_name TEXT,
    backfill_id TEXT,
    execution_date TEXT NOT NULL,
    interval_end TEXT,
    variables TEXT NOT NULL,
    variables_key TEXT NOT NULL,
    git_commit TEXT,
    git_dirty INTEGER,
    code TEXT NOT NULL,
    started_by TEXT,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_started TEXT NOT NULL,
    started_at DOUBLE PRECISION NOT NULL,
    heartbeat_at DOUBLE PRECISION NOT NULL,
    ended_at DOUBLE PRECISION,
    seconds DOUBLE PRECISION,
    row_count BIGINT,
    peak_rss_bytes BIGINT,
    warnings TEXT NOT NULL,
    error TEXT,
    exit_code INTEGER,
    parent_run_id TEXT,
    alerts INTEGER
);

-- The newest runs; those of a pipeline; those of an interval; those of a backfill; those that a run has started; those
-- of a status, such as the few that go on.
CREATE INDEX run_started ON run (started_at);
CREATE INDEX run_pipeline_started ON run (pipeline, started_at);
CREATE INDEX run_pipeline_date ON run (pipeline, execution_date);
CREATE INDEX run_backfill ON run (backfill_id);
CREATE INDEX run_parent ON run (parent_run_id);
CREATE INDEX run_status ON run (status, started_at);

CREATE TABLE block_run (
    run_id TEXT NOT NULL,
    place INTEGER NOT NULL,
    uuid TEXT NOT NULL,
    status TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (run_id, place)
);

-- `again`: the command that goes on with it, where people are to hear that it has crashed.
CREATE TABLE backfill (
    backfill_id TEXT NOT NULL PRIMARY KEY,
    pipeline TEXT NOT NULL,
    status TEXT NOT NULL,
    request TEXT NOT NULL,
    request_key TEXT NOT NULL,
    receipt TEXT,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_started TEXT NOT NULL,
    started_at DOUBLE PRECISION NOT NULL,
    heartbeat_at DOUBLE PRECISION NOT NULL,
    ended_at DOUBLE PRECISION,
    again TEXT
);

CREATE INDEX backfill_request ON backfill (request_key, started_at);

-- Which backfill is at work on an interval: two never run the same one.
CREATE TABLE claim (
    pipeline TEXT NOT NULL,
    variables_key TEXT NOT NULL,
    execution_date TEXT NOT NULL,
    backfill_id TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_started TEXT NOT NULL,
    heartbeat_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (pipeline, variables_key, execution_date)
);

-- One receipt a run, each with the hash of the one before it; and the last one's place and hash.
CREATE TABLE receipt (
    place BIGINT NOT NULL PRIMARY KEY,
    run_id TEXT,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
);

CREATE INDEX receipt_run ON receipt (run_id);

CREATE TABLE receipt_head (
    one INTEGER NOT NULL PRIMARY KEY,
    place BIGINT NOT NULL,
    hash TEXT NOT NULL
);

INSERT INTO receipt_head (one, place, hash) VALUES (1, 0, '');

-- Which scheduler leads; another one stands by.
CREATE TABLE leader (
    name TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_started TEXT NOT NULL,
    since DOUBLE PRECISION NOT NULL,
    heartbeat_at DOUBLE PRECISION NOT NULL
);

-- Up to which moment the due runs of a trigger are dealt with, by which schedule, and whether it is paused by hand.
CREATE TABLE trigger_state (
    pipeline TEXT NOT NULL,
    trigger_name TEXT NOT NULL,
    schedule TEXT NOT NULL,
    handled_at DOUBLE PRECISION,
    paused_at DOUBLE PRECISION,
    PRIMARY KEY (pipeline, trigger_name)
);

-- What became of each due run. One row may stand for all that were skipped from due_at to due_until.
CREATE TABLE due_run (
    pipeline TEXT NOT NULL,
    trigger_name TEXT NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    due_until DOUBLE PRECISION NOT NULL,
    due_count BIGINT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    run_id TEXT,
    attempts INTEGER NOT NULL,
    noted_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (pipeline, trigger_name, due_at)
);

CREATE INDEX due_run_status ON due_run (status);

-- What made a run due that no timetable did: a request, something that appeared, another run; and the last one's number.
CREATE TABLE occasion (
    number BIGINT NOT NULL PRIMARY KEY,
    pipeline TEXT NOT NULL,
    trigger_name TEXT NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    kind TEXT NOT NULL,
    occasion_key TEXT,
    fingerprint TEXT NOT NULL,
    variables TEXT NOT NULL,
    execution_date TEXT,
    parent_run_id TEXT,
    line TEXT NOT NULL
);

CREATE UNIQUE INDEX occasion_keyed ON occasion (pipeline, trigger_name, occasion_key);
CREATE INDEX occasion_due ON occasion (pipeline, trigger_name, due_at);

CREATE TABLE occasion_head (
    one INTEGER NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
);

INSERT INTO occasion_head (one, number) VALUES (1, 0);
