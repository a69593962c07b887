-- The journal, version 1. A file schema_vN.sql takes a journal from version N-1 to version N.
-- One file is one epoch: numbers count from 1 over all tables and are never given twice.
BEGIN IMMEDIATE;

PRAGMA application_id = 1145524810;  -- 0x4447524A, "DGRJ": this file is one of ours
PRAGMA user_version = 1;

-- The file itself, in one row.
CREATE TABLE journal (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch TEXT NOT NULL,
    station TEXT NOT NULL,
    created_utc_ns INTEGER,
    number_last INTEGER NOT NULL  -- outlives the row that had it, so no number is given twice
) STRICT;

-- Distress, urgency and safety, refused frames that looked like distress among them.
CREATE TABLE entry (
    number INTEGER PRIMARY KEY,
    lane TEXT NOT NULL CHECK (lane IN ('distress', 'urgency', 'safety')),
    journaled_utc_ns INTEGER,
    body BLOB NOT NULL  -- the item, msgpack
) STRICT;

-- What a broker link has yet to take of the table above. The key is the order of sending.
CREATE TABLE outbox (
    link TEXT NOT NULL,
    rank INTEGER NOT NULL,  -- 0 distress, 1 urgency, 2 safety
    number INTEGER NOT NULL REFERENCES entry (number),
    PRIMARY KEY (link, rank, number)
) STRICT, WITHOUT ROWID;

-- Rings: only the newest rows stay.
CREATE TABLE routine (
    number INTEGER PRIMARY KEY,
    journaled_utc_ns INTEGER,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE refused (
    number INTEGER PRIMARY KEY,
    journaled_utc_ns INTEGER,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE unread (
    number INTEGER PRIMARY KEY,
    journaled_utc_ns INTEGER,
    body BLOB NOT NULL
) STRICT;

COMMIT;
